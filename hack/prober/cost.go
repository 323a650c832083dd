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
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// peak is the highest VmHWM seen. It is read while a check waits for its answer: wait4's own number would be that of
// this process, which a child starts as a copy of.
var peak atomic.Int64

// lookAt is the process that is being served.
var lookAt atomic.Int64

func main() {
	log.SetFlags(0)
	runs, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	plain, secure, grpc := httptest.NewServer(http.HandlerFunc(answer)), httptest.NewUnstartedServer(http.HandlerFunc(answer)), newHealth()
	secure.EnableHTTP2 = true
	secure.StartTLS()
	fmt.Printf("%-8s %8s %8s %8s %10s %10s\n", "check", "median", "p90", "wall", "RSS", "runs")
	for _, test := range []struct{ kind, address string }{{"http", plain.URL}, {"https", secure.URL}, {"tcp", plain.URL}, {"grpc", grpc.URL}} {
		measure(os.Args[1], test.kind, test.address[strings.LastIndex(test.address, ":")+1:], runs)
	}
}

func measure(binary, kind, port string, runs int) {
	peak.Store(0)
	var cpu, wall []time.Duration
	for range runs {
		command := exec.Command(binary, kind, "--port="+port, "--timeout=5s")
		command.Env = []string{"ISTIO_ONRAMP_POD_IP=127.0.0.1"}
		start := time.Now()
		if err := command.Start(); err != nil {
			log.Fatal(err)
		}
		lookAt.Store(int64(command.Process.Pid))
		if err := command.Wait(); err != nil {
			log.Fatalf("%s: %v", kind, err)
		}
		wall = append(wall, time.Since(start))
		cpu = append(cpu, command.ProcessState.UserTime()+command.ProcessState.SystemTime())
	}
	slices.Sort(cpu)
	slices.Sort(wall)
	memory := "-"
	if peak.Load() > 0 {
		memory = fmt.Sprintf("%.1f MiB", float64(peak.Load())/1024)
	}
	fmt.Printf("%-8s %5.2f ms %5.2f ms %5.2f ms %10s %10d\n", kind, ms(cpu[runs/2]), ms(cpu[runs*9/10]), ms(wall[runs/2]), memory, runs)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func answer(w http.ResponseWriter, _ *http.Request) {
	notePeak()
	io.WriteString(w, "ok")
}

// newHealth is a gRPC health service that is always SERVING.
func newHealth() *httptest.Server {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		notePeak()
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		io.WriteString(w, "\x00\x00\x00\x00\x02\x08\x01")
		w.Header().Set("Grpc-Status", "0")
	}))
	server.Config.Protocols = protocols
	server.Start()
	return server
}

func notePeak() {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", lookAt.Load()))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			peak.Store(max(peak.Load(), kilobytes))
		}
	}
}
