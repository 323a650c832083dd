package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

func TestWithoutHostThePodAddressIsNeededAndNamedWhenMissing(t *testing.T) {
	for _, kind := range []string{"http", "https", "tcp", "grpc"} {
		for _, podIP := range []string{"", "localhost", "10.0.0.1:80", "10.0.0", "[::1]", " 10.0.0.1", "$(POD_IP)"} {
			got := prober(podIP, kind, "--port=1")
			if got.code != exitArgument || !strings.Contains(got.stderr, podIPVariable) || !strings.Contains(got.stderr, "--host=HOST") || got.stdout != "" {
				t.Errorf("%s with %q: %+v", kind, podIP, got)
			}
		}
	}
}

func TestTheHandlersHostBeatsThePodAddressAndAnEmptyOneIsNone(t *testing.T) {
	port := serve(t, "127.0.0.1", says("HTTP/1.1 200 OK\r\n\r\n"))
	prober("not an address", "http", "--port="+port, "--host=127.0.0.1").expect(t, exitSuccess, "")
	prober("127.0.0.1", "http", "--port="+port, "--host=").expect(t, exitSuccess, "")
	prober("127.0.0.2", "http", "--port="+port, "--host=").expect(t, exitFailure, "connection refused")
}

func TestOneEnvironmentVariableIsReadAndNoneWhereHostIsGiven(t *testing.T) {
	var asked []string
	getenv := func(name string) string { asked = append(asked, name); return "127.0.0.1" }
	run([]string{"tcp", "--port=1", "--host=127.0.0.1"}, getenv, new(strings.Builder), new(strings.Builder))
	if len(asked) != 0 {
		t.Errorf("asked for %v", asked)
	}
	run([]string{"tcp", "--port=1"}, getenv, new(strings.Builder), new(strings.Builder))
	if len(asked) != 1 || asked[0] != podIPVariable {
		t.Errorf("asked for %v", asked)
	}
}

func TestIPv6IsDialledWithBrackets(t *testing.T) {
	hosts := make(chan string, 1)
	port := serve(t, "::1", func(conn net.Conn) {
		request := make([]byte, 4096)
		n, _ := conn.Read(request)
		hosts <- string(request[:n])
		conn.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	})
	prober("::1", "http", "--port="+port).expect(t, exitSuccess, "")
	if request := <-hosts; !strings.Contains(request, "\r\nHost: [::1]:"+port+"\r\n") {
		t.Errorf("%q", request)
	}
	prober("::1", "tcp", "--port="+port).expect(t, exitSuccess, "")
}

// The application's own settings must not change how it is judged.
func TestTheApplicationsEnvironmentChangesNothing(t *testing.T) {
	port := serve(t, "127.0.0.1", says("HTTP/1.1 503 No\r\n\r\n"))
	spoiled := func(command *exec.Cmd) {
		command.Env = append(command.Env, "HTTP_PROXY=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1", "ALL_PROXY=http://127.0.0.1:1",
			"GODEBUG=http2debug=2,http2client=0,netdns=9,tlsmaxrsasize=1", "DISABLE_HTTP2=1", "SSL_CERT_FILE=/nope", "GOGC=1", "NO_PROXY=*")
	}
	spawn(spoiled, "http", "--port="+port, "--timeout=5s").expect(t, exitFailure, "HTTP probe failed with statuscode: 503\n")
	secure := serveTLS(t, "h2")
	spawn(spoiled, "https", "--port="+secure, "--timeout=5s").expect(t, exitSuccess, "")
}
