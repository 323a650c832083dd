package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"
)

// serveTLS is a server that speaks only the named protocol.
func serveTLS(t *testing.T, protocol string) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if (r.ProtoMajor == 2) != (protocol == "h2") {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
	}))
	server.EnableHTTP2 = protocol == "h2"
	server.TLS = &tls.Config{NextProtos: []string{protocol}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return portOf(server.Listener.Addr().String())
}

func answering(status int, more string) func(net.Conn) {
	return says(fmt.Sprintf("HTTP/1.1 %d Something\r\nContent-Length: 4\r\n%s\r\nbody", status, more))
}

func TestStatus200To399IsSuccess(t *testing.T) {
	for status, want := range map[int]int{199: 1, 200: 0, 204: 0, 299: 0, 399: 0, 400: 1, 404: 1, 500: 1, 599: 1, 999: 1} {
		got := prober("127.0.0.1", "http", "--port="+serve(t, "127.0.0.1", answering(status, "")), "--timeout=5s")
		if got.code != want || want == 1 && status != 199 && got.stdout != fmt.Sprintf("HTTP probe failed with statuscode: %d\n", status) {
			t.Errorf("%d: %+v", status, got)
		}
	}
}

func TestARedirectToAnotherHostIsSuccessWithAWarning(t *testing.T) {
	port := serve(t, "127.0.0.1", answering(302, "Location: http://elsewhere.example/\r\n"))
	prober("127.0.0.1", "http", "--port="+port).expect(t, exitSuccess, "Probe terminated redirects, Response body: body\n")
}

func TestARedirectOnTheSameHostIsFollowedTenTimes(t *testing.T) {
	for redirects, want := range map[int]int{0: 0, 1: 0, 9: 0, 10: 1, 99: 1} {
		var asked atomic.Int32
		port := serve(t, "127.0.0.1", func(conn net.Conn) {
			if int(asked.Add(1)) <= redirects {
				answering(302, "Location: /next\r\n")(conn)
				return
			}
			answering(200, "")(conn)
		})
		got := prober("127.0.0.1", "http", "--port="+port, "--timeout=5s")
		if got.code != want || want == 1 && !strings.Contains(got.stdout, "stopped after 10 redirects") {
			t.Errorf("%d redirects: %+v", redirects, got)
		}
	}
}

func TestARedirectMayChangePortAndScheme(t *testing.T) {
	secure := serveTLS(t, "http/1.1")
	port := serve(t, "127.0.0.1", answering(302, "Location: https://127.0.0.1:"+secure+"/\r\n"))
	prober("127.0.0.1", "http", "--port="+port, "--timeout=5s").expect(t, exitSuccess, "")
	broken := serve(t, "127.0.0.1", answering(302, "Location: http://127.0.0.1:1/\r\n"))
	prober("127.0.0.1", "http", "--port="+broken, "--timeout=5s").expect(t, exitFailure, "connection refused")
}

func TestHTTPSTakesAnyCertificateAndHTTP2(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		prober("127.0.0.1", "https", "--port="+serveTLS(t, protocol), "--timeout=5s").expect(t, exitSuccess, "")
	}
	plain := serve(t, "127.0.0.1", answering(200, ""))
	prober("127.0.0.1", "https", "--port="+plain, "--timeout=5s").expect(t, exitFailure, "server gave HTTP response to HTTPS client")
}

func TestHTTP2InClearIsSpokenFromTheFirstByteAndNothingElse(t *testing.T) {
	port := serveGRPC(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.Host != "app.example" {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
	})
	header := "--header=Host: app.example"
	prober("127.0.0.1", "http", "--h2c", "--port="+port, header, "--timeout=5s").expect(t, exitSuccess, "")
	prober("127.0.0.1", "http", "--h2c", "--port="+port, "--timeout=5s").expect(t, exitFailure, "HTTP probe failed with statuscode: 505")
	prober("127.0.0.1", "http", "--port="+port, header, "--timeout=5s").expect(t, exitFailure, "http://127.0.0.1:"+port)
	only1 := serve(t, "127.0.0.1", answering(200, ""))
	prober("127.0.0.1", "http", "--h2c", "--port="+only1, "--timeout=5s").expect(t, exitFailure, "http://127.0.0.1:"+only1)
}

func TestABrokenBodyIsAskedForThreeTimesInAll(t *testing.T) {
	for broken, want := range map[int]int{0: 0, 1: 0, 2: 0, 3: 1} {
		var asked atomic.Int32
		port := serve(t, "127.0.0.1", func(conn net.Conn) {
			if int(asked.Add(1)) <= broken {
				says("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort")(conn)
				return
			}
			answering(200, "")(conn)
		})
		got := prober("127.0.0.1", "http", "--port="+port, "--timeout=5s")
		if got.code != want || int(asked.Load()) != min(broken+1, 3) || want == 1 && !strings.Contains(got.stdout, "body of its answer: unexpected EOF") {
			t.Errorf("broken %d times: asked %d times, %+v", broken, asked.Load(), got)
		}
	}
}

// The last of these hangs in kubelet for ever: net/http has no deadline in the body of a 101.
func TestTheTimeLimitHoldsEverywhere(t *testing.T) {
	hold := func(text string) func(net.Conn) {
		return func(conn net.Conn) { says(text)(conn); conn.Read(make([]byte, 1)); time.Sleep(3 * time.Second) }
	}
	for name, text := range map[string]string{
		"no answer": "", "half a header": "HTTP/1.1 200 OK\r\nX", "no body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
		"switching protocols": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
	} {
		start := time.Now()
		got := prober("127.0.0.1", "http", "--port="+serve(t, "127.0.0.1", hold(text)), "--timeout=1s")
		if took := time.Since(start); got.code != exitFailure || got.stdout == "" || took < 900*time.Millisecond || took > 1500*time.Millisecond {
			t.Errorf("%s: %+v after %v", name, got, took)
		}
	}
}

func TestTheRequestFollowsKubeletsHeaderRules(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"defaults":               {nil, "User-Agent: kube-probe/dev|Accept: */*|Connection: close"},
		"hook":                   {[]string{"--hook"}, "User-Agent: kube-lifecycle/dev|Accept: */*|Accept-Encoding: gzip"},
		"own User-Agent":         {[]string{"--header=user-agent: me"}, "User-Agent: me|Accept: */*|Connection: close"},
		"no User-Agent":          {[]string{"--header=User-Agent: "}, "Accept: */*|Connection: close"},
		"own Accept":             {[]string{"--header=Accept: a/b"}, "User-Agent: kube-probe/dev|Accept: a/b|Connection: close"},
		"no Accept":              {[]string{"--header=Accept: "}, "User-Agent: kube-probe/dev|Connection: close"},
		"Host":                   {[]string{"--header=Host: app.example"}, "Host: app.example|User-Agent: kube-probe/dev|Accept: */*|Connection: close"},
		"the same twice":         {[]string{"--header=X-A: 1", "--header=x-a: 2"}, "User-Agent: kube-probe/dev|Accept: */*|X-A: 1|X-A: 2|Connection: close"},
		"a value without a text": {[]string{"--header=X-A: "}, "User-Agent: kube-probe/dev|Accept: */*|X-A: |Connection: close"},
	} {
		requests := make(chan string, 1)
		port := serve(t, "127.0.0.1", func(conn net.Conn) {
			request := make([]byte, 4096)
			n, _ := conn.Read(request)
			requests <- string(request[:n])
			conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		})
		prober("127.0.0.1", append([]string{"http", "--port=" + port, "--path=/a?b=c"}, test.args...)...).expect(t, exitSuccess, "")
		want := "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n" + strings.ReplaceAll(test.want, "|", "\r\n") + "\r\n\r\n"
		if strings.HasPrefix(test.want, "Host") {
			want = "GET /a?b=c HTTP/1.1\r\n" + strings.ReplaceAll(test.want, "|", "\r\n") + "\r\n\r\n"
		}
		if got := <-requests; got != want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
}

func TestTheAnswerIsOneLineOfAtMostOneKiB(t *testing.T) {
	body := "one\r\ntwo\x1b[31m\xff" + strings.Repeat("ü", 2000)
	port := serve(t, "127.0.0.1", says(fmt.Sprintf("HTTP/1.1 302 F\r\nContent-Length: %d\r\n\r\n%s", len(body), body)))
	got := prober("127.0.0.1", "http", "--port="+port)
	if got.code != exitSuccess || len(got.stdout) > 1024 || len(got.stdout) < 1020 || !strings.HasSuffix(got.stdout, "ü...\n") || strings.ContainsAny(strings.TrimSuffix(got.stdout, "\n"), "\r\n\x1b") || !utf8.ValidString(got.stdout) {
		t.Errorf("%d bytes: %q", len(got.stdout), got.stdout)
	}
}
