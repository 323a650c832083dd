package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serveGRPC is a health service in the standard library's HTTP/2.
func serveGRPC(t *testing.T, reply func(http.ResponseWriter, *http.Request)) string {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	server := httptest.NewUnstartedServer(http.HandlerFunc(reply))
	server.Config.Protocols = protocols
	server.Start()
	t.Cleanup(server.Close)
	return portOf(server.Listener.Addr().String())
}

// health replies with a message and a status.
func health(message string, status string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
		io.WriteString(w, message)
		w.Header().Set("Grpc-Status", status)
		w.Header().Set("Grpc-Message", "because")
	}
}

func framed(content string) string {
	return "\x00\x00\x00\x00" + string(rune(len(content))) + content
}

func TestOnlySERVINGIsHealthy(t *testing.T) {
	for content, want := range map[string]string{
		"\x08\x01": "", "\x08\x02": `service unhealthy (responded with "NOT_SERVING")`, "\x08\x03": `"SERVICE_UNKNOWN"`, "": `"UNKNOWN"`, "\x08\x09": `"9"`,
	} {
		got := prober("127.0.0.1", "grpc", "--port="+serveGRPC(t, health(framed(content), "0")), "--timeout=5s")
		code := exitFailure
		if want == "" {
			code = exitSuccess
		}
		got.expect(t, code, want)
	}
}

func TestAStatusOtherThanOKIsSaidInTheWordsOfTheField(t *testing.T) {
	for status, want := range map[string]string{
		"12": "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): because",
		"4":  "timeout: health rpc did not complete within 5s",
		"5":  "error: health rpc probe failed: rpc error: code = NotFound desc = because",
		"14": "rpc error: code = Unavailable desc = because",
		"99": "rpc error: code = Code(99) desc = because",
		"x":  "code = Unknown desc = transport: malformed grpc-status",
	} {
		port := serveGRPC(t, health(framed("\x08\x01"), status))
		prober("127.0.0.1", "grpc", "--port="+port, "--timeout=5s").expect(t, exitFailure, want)
	}
}

func TestAWebServersAnswerIsExplained(t *testing.T) {
	for status, want := range map[int]string{
		404: "does not implement the grpc health protocol (grpc.health.v1.Health): unexpected HTTP status code received from server: 404 (Not Found)",
		200: `code = Unknown desc = unexpected HTTP status code received from server: 200 (OK); transport: received unexpected content-type "text/plain"`,
		503: "code = Unavailable", 401: "code = Unauthenticated", 403: "code = PermissionDenied", 400: "code = Internal",
	} {
		port := serveGRPC(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(status)
		})
		prober("127.0.0.1", "grpc", "--port="+port, "--timeout=5s").expect(t, exitFailure, want)
	}
}

func TestModeTLSTakesAnyCertificateAndWantsHTTP2(t *testing.T) {
	secure := func(protocols ...string) string {
		server := httptest.NewUnstartedServer(http.HandlerFunc(health(framed("\x08\x01"), "0")))
		server.EnableHTTP2 = slices.Contains(protocols, "h2")
		server.TLS = &tls.Config{NextProtos: protocols}
		server.StartTLS()
		t.Cleanup(server.Close)
		return portOf(server.Listener.Addr().String())
	}
	prober("127.0.0.1", "grpc", "--tls", "--port="+secure("h2"), "--timeout=5s").expect(t, exitSuccess, "")
	prober("127.0.0.1", "grpc", "--port="+secure("h2"), "--timeout=1s").expect(t, exitFailure, "failed to connect service")
	prober("127.0.0.1", "grpc", "--tls", "--port="+secure("http/1.1"), "--timeout=1s").expect(t, exitFailure, "no application protocol")
	inClear := serveGRPC(t, health(framed("\x08\x01"), "0"))
	prober("127.0.0.1", "grpc", "--tls", "--port="+inClear, "--timeout=1s").expect(t, exitFailure, "timeout: failed to connect service")
}

func TestTheServiceIsNamedInTheCall(t *testing.T) {
	var call atomic.Value
	port := serveGRPC(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call.Store(fmt.Sprintf("%s %s %s %q", r.Method, r.URL.Path, r.Header.Get("Content-Type"), body))
		health(framed("\x08\x01"), "0")(w, r)
	})
	prober("127.0.0.1", "grpc", "--port="+port, "--service=a.B", "--timeout=5s").expect(t, exitSuccess, "")
	if want := `POST /grpc.health.v1.Health/Check application/grpc "\x00\x00\x00\x00\x05\n\x03a.B"`; call.Load() != want {
		t.Errorf("got %v, want %s", call.Load(), want)
	}
}

func TestAConnectionIsTriedAgainUntilTheTimeIsUp(t *testing.T) {
	real := serveGRPC(t, health(framed("\x08\x01"), "0"))
	var connections atomic.Int32
	port := serve(t, "127.0.0.1", func(conn net.Conn) {
		if connections.Add(1) == 1 {
			return
		}
		behind, err := net.Dial("tcp", "127.0.0.1:"+real)
		if err != nil {
			t.Error(err)
			return
		}
		go io.Copy(behind, conn)
		io.Copy(conn, behind)
	})
	prober("127.0.0.1", "grpc", "--port="+port, "--timeout=5s").expect(t, exitSuccess, "")
	if connections.Load() != 2 {
		t.Errorf("%d connections", connections.Load())
	}
}

func TestAHopelessConnectionIsReportedAtOnceWithItsReason(t *testing.T) {
	start := time.Now()
	prober("127.0.0.1", "grpc", "--port=1", "--timeout=1s").expect(t, exitFailure,
		`timeout: failed to connect service "127.0.0.1:1" within 1s: dial tcp 127.0.0.1:1: connect: connection refused`)
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestThePortOfAnotherProtocolNeverSeesTheCall(t *testing.T) {
	var sent strings.Builder
	done := make(chan struct{})
	port := serve(t, "127.0.0.1", func(conn net.Conn) {
		io.Copy(&sent, conn)
		close(done)
	})
	prober("127.0.0.1", "grpc", "--port="+port, "--timeout=1s").expect(t, exitFailure, "context deadline exceeded")
	if <-done; strings.Contains(sent.String(), "grpc") || !strings.HasPrefix(sent.String(), "PRI * HTTP/2.0") {
		t.Errorf("%q", sent.String())
	}
}

func TestATimeLimitIsToldToTheServerInEightDigits(t *testing.T) {
	for left, want := range map[time.Duration]string{
		-1: "0n", 0: "0n", 1: "1n", 99999999: "99999999n", 100 * time.Millisecond: "100000u", time.Second: "1000000u",
		99 * time.Second: "99000000u", 100 * time.Second: "100000m", 30 * time.Hour: "108000S", time.Second + 1: "1000001u",
		27777 * time.Hour: "99997200S", 30000 * time.Hour: "1800000M",
	} {
		if got := encodeTimeout(left); got != want {
			t.Errorf("%v: %s, want %s", left, got, want)
		}
	}
}

func TestBackoffIsThatOfTheGRPCLibrary(t *testing.T) {
	for attempt, base := range []float64{1, 1.6, 2.56, 4.096} {
		for range 50 {
			got := backoff(attempt).Seconds()
			if attempt == 0 && got != 1 || got < base*0.8 || got > base*1.2 {
				t.Errorf("attempt %d: %v", attempt, got)
			}
		}
	}
	if got := backoff(100); got > 144*time.Second {
		t.Error(got)
	}
	if pause(context.Background(), 0) != true {
		t.Error("without a deadline there is always another attempt")
	}
}
