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
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The servers run in a process of their own (this program, called again), or their threads would compete with the
// checks that are being measured. This one starts checks and does nothing else.
// Usage: cost PROBER RUNS [PROGRAM THAT DOES NOTHING]...
func main() {
	log.SetFlags(0)
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		serve()
	}
	runtime.GOMAXPROCS(1)
	prober := os.Args[1]
	runs, err := strconv.Atoi(os.Args[2])
	check(err)
	server, ports := startServers()
	defer server.Process.Kill()
	var rows []*row
	for _, floor := range os.Args[3:] {
		rows = append(rows, &row{name: filepath.Base(floor), command: []string{floor}})
	}
	rows = append(rows, &row{name: "prober version", command: []string{prober, "version"}})
	for _, kind := range []string{"tcp", "http", "http --h2c", "https", "grpc", "grpc --tls"} {
		command := append([]string{prober}, strings.Fields(kind)...)
		rows = append(rows, &row{name: kind, command: append(command, "--port="+ports[strings.ReplaceAll(kind, " ", "")], "--timeout=5s")})
	}
	for range runs {
		for _, row := range rows {
			row.run()
		}
	}
	fmt.Printf("%-16s %9s %9s %9s %9s\n", "", "CPU", "CPU p90", "wall", "RSS")
	for _, row := range rows {
		row.print()
	}
}

// row is a command and what its runs took. The rows take turns, so that what else the machine does falls on all alike.
type row struct {
	name      string
	command   []string
	cpu, wall []time.Duration
	memory    int64 // KiB, the greatest
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
	for range 6 {
		var kind, port string
		_, err := fmt.Fscanln(output, &kind, &port)
		check(err)
		ports[kind] = port
	}
	return server, ports
}

func (r *row) run() {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	check(err)
	defer null.Close()
	start := time.Now()
	pid, err := syscall.ForkExec(r.command[0], r.command, &syscall.ProcAttr{
		Env:   []string{"ISTIO_ONRAMP_POD_IP=127.0.0.1"},
		Files: []uintptr{null.Fd(), null.Fd(), 2},
	})
	check(err)
	var status syscall.WaitStatus
	var usage syscall.Rusage
	_, err = syscall.Wait4(pid, &status, 0, &usage)
	check(err)
	if status != 0 {
		log.Fatalf("%v: status %d", r.command, status)
	}
	r.wall = append(r.wall, time.Since(start))
	r.cpu = append(r.cpu, time.Duration(usage.Utime.Nano()+usage.Stime.Nano()))
	r.memory = max(r.memory, usage.Maxrss)
}

func (r *row) print() {
	slices.Sort(r.cpu)
	slices.Sort(r.wall)
	half, most := len(r.cpu)/2, len(r.cpu)*9/10
	fmt.Printf("%-16s %6.2f ms %6.2f ms %6.2f ms %5.1f MiB\n", r.name, ms(r.cpu[half]), ms(r.cpu[most]), ms(r.wall[half]), float64(r.memory)/1024)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// serve answers everything well, for ever.
func serve() {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	plain, clear2, secure := httptest.NewServer(answer), inClearHTTP2(answer), inTLS(answer)
	health, secureHealth := inClearHTTP2(healthy), inTLS(healthy)
	for kind, server := range map[string]*httptest.Server{"tcp": plain, "http": plain, "http--h2c": clear2, "https": secure,
		"grpc": health, "grpc--tls": secureHealth} {
		address := server.Listener.Addr().String()
		fmt.Println(kind, address[strings.LastIndex(address, ":")+1:])
	}
	select {}
}

func inClearHTTP2(handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	return server
}

func inTLS(handler http.HandlerFunc) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	return server
}

// healthy is a gRPC health service that is always SERVING.
func healthy(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	io.WriteString(w, "\x00\x00\x00\x00\x02\x08\x01")
	w.Header().Set("Grpc-Status", "0")
}
