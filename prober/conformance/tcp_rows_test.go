package conformance

import (
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func tcpRows() []row {
	return []row{
		{name: "tcp, a server that says nothing", handler: handler{kind: "tcp"}, serve: func(*visit) {}, want: pass},
		{name: "tcp, a server that talks first", handler: handler{kind: "tcp"}, serve: func(v *visit) { v.say("220 hello\r\n") }, want: pass},
		{name: "tcp, a server that closes at once", handler: handler{kind: "tcp"}, serve: func(v *visit) { v.Conn.Close() }, want: pass},
		{name: "tcp, a server that resets soon", handler: handler{kind: "tcp"}, serve: func(v *visit) { time.Sleep(100 * time.Millisecond); v.reset() }, want: pass},
		{name: "tcp, IPv6", handler: handler{kind: "tcp", podIP: "::1"}, serve: func(*visit) {}, want: pass},
		{name: "tcp, host is a name", handler: handler{kind: "tcp", host: "localhost"}, serve: func(*visit) {}, want: pass},
		{name: "tcp, host is a name nobody has", handler: handler{kind: "tcp", host: "nobody.invalid"}, serve: func(*visit) {}, want: fail, wordsVary: "kubelet and the pod ask different name servers"},
		{name: "tcp, closed port", handler: handler{kind: "tcp"}, port: closedPort, want: fail},
		{name: "tcp, closed port in IPv6", handler: handler{kind: "tcp", podIP: "::1"}, port: closedPort, want: fail},
		{name: "tcp, nobody takes the connection", handler: handler{kind: "tcp", timeout: 1}, port: blackHole, want: fail},
		{name: "tcp, a backlog that is accepted late", handler: handler{kind: "tcp"}, port: listenOnly, want: pass},
	}
}

// closedPort is bound and never listens, so that no other process and no other row gets it.
func closedPort(t *testing.T) int {
	for {
		port, err := bind(t, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		if err != nil {
			t.Fatal(err)
		}
		if reserveIPv6(t, port) {
			return port
		}
	}
}

// reserveIPv6 keeps others from the same port of ::1, which the name localhost also resolves to.
func reserveIPv6(t *testing.T, port int) bool {
	_, err := bind(t, &syscall.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}})
	return err == nil
}

func bind(t *testing.T, address syscall.Sockaddr) (int, error) {
	family := syscall.AF_INET
	if _, six := address.(*syscall.SockaddrInet6); six {
		family = syscall.AF_INET6
	}
	socket, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err := syscall.Bind(socket, address); err != nil {
		return 0, err
	}
	bound, err := syscall.Getsockname(socket)
	if four, ok := bound.(*syscall.SockaddrInet4); ok {
		return four.Port, err
	}
	return 0, err
}

// listenOnly listens and never accepts: the kernel completes the handshake.
func listenOnly(t *testing.T) int {
	return listenWith(t, 16)
}

// blackHole is a listener with a full queue: the kernel drops every further SYN, as a lost route would.
func blackHole(t *testing.T) int {
	port := listenWith(t, 0)
	for range 3 {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 200*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the queue does not fill up")
	return 0
}

func listenWith(t *testing.T, backlog int) int {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err = syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		err = syscall.Listen(socket, backlog)
	}
	if err != nil {
		t.Fatal(err)
	}
	address, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	return address.(*syscall.SockaddrInet4).Port
}
