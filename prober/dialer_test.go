package main

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The addresses of a pod, in a network namespace of the test's own.
const (
	podIPv4 = "10.99.0.7"
	podIPv6 = "fd99::7"
)

// TestAProxyUsersRequestComesFromWhereIstioLetsItPass re-runs this test program in an empty network namespace, in which
// it may assign itself a pod's addresses.
func TestAProxyUsersRequestComesFromWhereIstioLetsItPass(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make a network namespace and become UID 1337")
	}
	command := exec.Command("/proc/self/exe")
	command.Env = append(os.Environ(), "PROBER_TEST_NETWORK="+proberPath)
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if want := strings.Join([]string{
		"1337 tcp 10.99.0.7: 127.0.0.6", "1337 http 10.99.0.7: 127.0.0.6", "1337 http --hook 10.99.0.7: 127.0.0.6", "1337 grpc 10.99.0.7: 127.0.0.6",
		"1337 tcp --host=10.99.0.7 10.99.0.7: 10.99.0.7", "65532 tcp 10.99.0.7: 10.99.0.7", "0 tcp 10.99.0.7: 10.99.0.7",
		"1337 tcp fd99::7: fd99::7", "with ::6", "1337 tcp fd99::7: ::6", "1337 http fd99::7: ::6", "65532 tcp fd99::7: fd99::7", "",
	}, "\n"); string(output) != want {
		t.Errorf("got\n%s\nwant\n%s", output, want)
	}
}

// inNetwork is the part inside. It prints, for each case, the source address of the connection.
func inNetwork() int {
	proberPath = os.Getenv("PROBER_TEST_NETWORK")
	loopbackUp()
	addAddress(podIPv4)
	addAddress(podIPv6)
	for _, test := range []struct {
		uid   uint32
		args  string
		podIP string
	}{{1337, "tcp", podIPv4}, {1337, "http", podIPv4}, {1337, "http --hook", podIPv4}, {1337, "grpc", podIPv4},
		{1337, "tcp --host=" + podIPv4, podIPv4}, {65532, "tcp", podIPv4}, {0, "tcp", podIPv4}, {1337, "tcp", podIPv6}} {
		printSource(test.uid, test.args, test.podIP)
	}
	fmt.Println("with ::6") // as in dual-stack installations of Istio
	addAddress("::6")
	printSource(1337, "tcp", podIPv6)
	printSource(1337, "http", podIPv6)
	printSource(65532, "tcp", podIPv6)
	return 0
}

func printSource(uid uint32, args, podIP string) {
	listener, err := net.Listen("tcp", net.JoinHostPort(podIP, "0"))
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	list := append(strings.Fields(args), "--port="+portOf(listener.Addr().String()), "--timeout=1s")
	go spawn(func(command *exec.Cmd) {
		command.Env = []string{podIPVariable + "=" + podIP}
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}, list...)
	conn, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Printf("%d %s %s: %s\n", uid, args, podIP, conn.RemoteAddr().(*net.TCPAddr).IP)
}

func loopbackUp() {
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{name: [16]byte{'l', 'o'}, flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	ioctl(syscall.AF_INET, syscall.SIOCSIFFLAGS, unsafe.Pointer(&request))
}

// addAddress gives the loopback device another address (netdevice(7)).
func addAddress(text string) {
	address := netip.MustParseAddr(text)
	if address.Is6() {
		request := struct {
			address [16]byte
			prefix  uint32
			index   int32
		}{address.As16(), 128, 1}
		ioctl(syscall.AF_INET6, syscall.SIOCSIFADDR, unsafe.Pointer(&request))
		awaitAddress(text)
		return
	}
	request := struct {
		name    [16]byte
		family  uint16
		port    uint16
		address [4]byte
		_       [16]byte
	}{name: [16]byte{'l', 'o', ':', '1'}, family: syscall.AF_INET, address: address.As4()}
	ioctl(syscall.AF_INET, syscall.SIOCSIFADDR, unsafe.Pointer(&request))
}

// awaitAddress waits until the address can be bound: the kernel ends the tentative state of a new IPv6 address in a
// work queue, even on the loopback device.
func awaitAddress(text string) {
	for limit := time.Now().Add(5 * time.Second); time.Now().Before(limit); time.Sleep(time.Millisecond) {
		if listener, err := net.Listen("tcp", net.JoinHostPort(text, "0")); err == nil {
			listener.Close()
			return
		}
	}
	panic(text + " does not become usable")
}

func ioctl(family int, request uintptr, argument unsafe.Pointer) {
	socket, err := syscall.Socket(family, syscall.SOCK_DGRAM, 0)
	if err != nil {
		panic(err)
	}
	defer syscall.Close(socket)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), request, uintptr(argument)); errno != 0 {
		panic(errno)
	}
}
