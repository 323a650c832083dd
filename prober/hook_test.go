package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnyAnswerSatisfiesAHook(t *testing.T) {
	for _, status := range []int{200, 302, 404, 500} {
		prober("127.0.0.1", "http", "--hook", "--port="+serve(t, "127.0.0.1", answering(status, ""))).expect(t, exitSuccess, "")
	}
}

func TestNoAnswerFailsAHook(t *testing.T) {
	prober("127.0.0.1", "http", "--hook", "--port=1").expect(t, exitFailure, "connection refused")
	prober("127.0.0.1", "http", "--hook", "--port="+serve(t, "127.0.0.1", says("no HTTP\r\n\r\n"))).expect(t, exitFailure, "malformed HTTP")
	prober("127.0.0.1", "https", "--hook", "--port="+serve(t, "127.0.0.1", says("no TLS"))).expect(t, exitFailure, "tls:")
}

func TestAnHTTPSHookAnsweredInHTTPIsAskedAgainWithoutItsCredentials(t *testing.T) {
	var second atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		second.Store(r.Header.Clone())
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	port := portOf(server.Listener.Addr().String())
	prober("127.0.0.1", "https", "--hook", "--port="+port, "--header=Authorization: Basic eDp5", "--header=X-Kept: yes").expect(t, exitSuccess, "")
	got, _ := second.Load().(http.Header)
	if got.Get("Authorization") != "" || got.Get("X-Kept") != "yes" || !strings.HasPrefix(got.Get("User-Agent"), "kube-lifecycle/") {
		t.Errorf("the second request had %v", got)
	}
}

func TestAnHTTPSHookSpeaksHTTP1EvenWhereHTTP2IsOffered(t *testing.T) {
	prober("127.0.0.1", "https", "--hook", "--port="+serveTLS(t, "http/1.1")).expect(t, exitSuccess, "")
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			t.Errorf("HTTP/%d", r.ProtoMajor)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	prober("127.0.0.1", "https", "--hook", "--port="+portOf(server.Listener.Addr().String())).expect(t, exitSuccess, "")
}

// A preStop endpoint may answer at once and end its body when it has drained.
func TestAHookWaitsForTheEndOfTheBodyHoweverLong(t *testing.T) {
	port := serve(t, "127.0.0.1", func(conn net.Conn) {
		says("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")(conn)
		time.Sleep(1200 * time.Millisecond)
		conn.Write([]byte("done"))
	})
	start := time.Now()
	prober("127.0.0.1", "http", "--hook", "--port="+port).expect(t, exitSuccess, "")
	if took := time.Since(start); took < 1200*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestATimeLimitGivenToAHookHolds(t *testing.T) {
	port := serve(t, "127.0.0.1", func(conn net.Conn) { time.Sleep(3 * time.Second) })
	prober("127.0.0.1", "http", "--hook", "--port="+port, "--timeout=1s").expect(t, exitFailure, "Client.Timeout exceeded")
}

func TestATCPHookIsAHandshake(t *testing.T) {
	prober("127.0.0.1", "tcp", "--hook", "--port="+serve(t, "127.0.0.1", func(net.Conn) {})).expect(t, exitSuccess, "")
	prober("127.0.0.1", "tcp", "--hook", "--port=1").expect(t, exitFailure, "connection refused")
}

func TestTCPSucceedsWithTheHandshakeAndNothingElse(t *testing.T) {
	prober("127.0.0.1", "tcp", "--port="+serve(t, "127.0.0.1", func(net.Conn) {}), "--timeout=1s").expect(t, exitSuccess, "")
	prober("127.0.0.1", "tcp", "--port=1", "--timeout=1s").expect(t, exitFailure, "dial tcp 127.0.0.1:1: connect: connection refused\n")
}
