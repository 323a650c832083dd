//go:build ignore

package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The servers run in a process of their own (this program, called again), or their threads would compete with the
// checks that are being measured. This one starts checks and does nothing else.
func main() {
	log.SetFlags(0)
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		serve()
	}
	runtime.GOMAXPROCS(1)
	runs, err := strconv.Atoi(os.Args[2])
	check(err)
	server, ports := startServers()
	defer server.Process.Kill()
	fmt.Printf("%-22s %9s %9s %9s %9s\n", "", "median", "p90", "wall", "RSS")
	measure("nothing (version)", runs, os.Args[1], "version")
	for _, kind := range []string{"tcp", "http", "https", "grpc"} {
		measure(kind, runs, os.Args[1], kind, "--port="+ports[kind], "--timeout=5s")
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func startServers() (*exec.Cmd, map[string]string) {
	server := exec.Command(os.Args[0], "serve")
	output, err := server.StdoutPipe()
	check(err)
	check(server.Start())
	ports := map[string]string{}
	for range 4 {
		var kind, port string
		_, err := fmt.Fscanln(output, &kind, &port)
		check(err)
		ports[kind] = port
	}
	return server, ports
}

func measure(name string, runs int, command ...string) {
	var cpu, wall []time.Duration
	memory := int64(0)
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	check(err)
	files := []uintptr{null.Fd(), null.Fd(), 2}
	for range runs {
		start := time.Now()
		pid, err := syscall.ForkExec(command[0], command, &syscall.ProcAttr{Env: []string{"ISTIO_ONRAMP_POD_IP=127.0.0.1"}, Files: files})
		check(err)
		var status syscall.WaitStatus
		var usage syscall.Rusage
		_, err = syscall.Wait4(pid, &status, 0, &usage)
		check(err)
		if status != 0 {
			log.Fatalf("%v: status %d", command, status)
		}
		wall = append(wall, time.Since(start))
		cpu = append(cpu, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()))
		memory = max(memory, usage.Maxrss)
	}
	slices.Sort(cpu)
	slices.Sort(wall)
	fmt.Printf("%-22s %6.2f ms %6.2f ms %6.2f ms %5.1f MiB\n", name, ms(cpu[runs/2]), ms(cpu[runs*9/10]), ms(wall[runs/2]), float64(memory)/1024)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// serve answers everything well, for ever.
func serve() {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	plain, secure, health := httptest.NewServer(answer), httptest.NewUnstartedServer(answer), newHealth()
	secure.EnableHTTP2 = true
	secure.StartTLS()
	for kind, server := range map[string]*httptest.Server{"tcp": plain, "http": plain, "https": secure, "grpc": health} {
		address := server.Listener.Addr().String()
		fmt.Println(kind, address[strings.LastIndex(address, ":")+1:])
	}
	select {}
}

// newHealth is a gRPC health service that is always SERVING.
func newHealth() *httptest.Server {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		io.WriteString(w, "\x00\x00\x00\x00\x02\x08\x01")
		w.Header().Set("Grpc-Status", "0")
	}))
	server.Config.Protocols = protocols
	server.Start()
	return server
}
