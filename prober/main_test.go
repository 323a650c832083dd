package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// proberPath is the program as shipped, for tests of the process: its user, its files, its environment.
var proberPath string

func TestMain(m *testing.M) {
	if os.Getenv("PROBER_TEST_NETWORK") != "" {
		os.Exit(inNetwork())
	}
	folder, err := os.MkdirTemp("", "prober-test-")
	if err == nil {
		err = os.Chmod(folder, 0o755)
	}
	if err != nil {
		panic(err)
	}
	proberPath = filepath.Join(folder, "prober")
	build := exec.Command("./compile", proberPath, "9.9.9")
	if output, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, output))
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// answer is the result of a run of the prober.
type answer struct {
	code           int
	stdout, stderr string
}

// prober runs the prober in this process, as a container with the given pod address would.
func prober(podIP string, args ...string) answer {
	var stdout, stderr strings.Builder
	getenv := func(name string) string {
		if name == podIPVariable {
			return podIP
		}
		return ""
	}
	code := run(args, getenv, &stdout, &stderr)
	return answer{code, stdout.String(), stderr.String()}
}

// spawn runs the built program.
func spawn(change func(*exec.Cmd), args ...string) answer {
	var stdout, stderr strings.Builder
	command := exec.Command(proberPath, args...)
	command.Env = []string{podIPVariable + "=127.0.0.1"}
	command.Stdout, command.Stderr = &stdout, &stderr
	if change != nil {
		change(command)
	}
	if err := command.Run(); command.ProcessState == nil {
		return answer{-1, "", err.Error()}
	}
	return answer{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// serve gives every connection to a function and returns the port.
func serve(t *testing.T, address string, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); handle(conn) }()
		}
	}()
	return portOf(listener.Addr().String())
}

func portOf(address string) string { return address[strings.LastIndex(address, ":")+1:] }

// says reads a request and replies with a text.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		conn.Read(make([]byte, 64<<10))
		conn.Write([]byte(text))
	}
}

func (a answer) expect(t *testing.T, code int, stdout string) {
	t.Helper()
	if a.code != code || !strings.Contains(a.stdout, stdout) || (stdout == "") != (a.stdout == "") || a.stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q; want %d, %q", a.code, a.stdout, a.stderr, code, stdout)
	}
}

func TestVersionIsPrintedAndTakesNoArguments(t *testing.T) {
	spawn(nil, "version").expect(t, exitSuccess, "prober 9.9.9\n")
	if got := spawn(nil, "version", "--all"); got.code != exitArgument || !strings.Contains(got.stderr, "--all") {
		t.Errorf("%+v", got)
	}
}

// The saving is lost as soon as another package is initialised first: it starts threads.
func TestOneProcessorComesBeforeThePackagesThatStartThreads(t *testing.T) {
	trace := spawn(func(c *exec.Cmd) { c.Env = append(c.Env, "GODEBUG=inittrace=1") }, "version").stderr
	ours := strings.Index(trace, "init github.com/istio-onramp/istio-onramp/prober/oneprocessor ")
	for _, later := range []string{"internal/godebug", "syscall", "os", "net", "crypto/tls", "net/http"} {
		if at := strings.Index(trace, "init "+later+" "); ours == -1 || at < ours {
			t.Errorf("%s at %d, oneprocessor at %d of\n%s", later, at, ours, trace)
		}
	}
}
