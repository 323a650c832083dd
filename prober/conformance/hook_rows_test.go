package conformance

import (
	"fmt"
	"strings"
	"time"
)

// hookRows: any HTTP response is success, and https may be answered in http.
func hookRows() []row {
	hook := handler{hook: true}
	secure := handler{kind: "https", hook: true}
	with := handler{hook: true, path: "/stop?now=1", headers: [][2]string{{"Host", "app.example"}, {"X-Check", "yes"}, {"User-Agent", ""}, {"Accept", ""}}}
	secureWith := handler{kind: "https", hook: true, path: "/stop", headers: [][2]string{{"Authorization", "Basic eDp5"}, {"X-Check", "yes"}}}
	var rows []row
	for _, code := range []int{200, 204, 304, 400, 401, 404, 500, 503, 599} {
		text := fmt.Sprintf("HTTP/1.1 %d Something\r\nContent-Length: 0\r\n\r\n", code)
		rows = append(rows, row{name: fmt.Sprintf("hook, status %d", code), handler: hook, serve: answers(text), want: pass})
	}
	return append(rows,
		row{name: "hook, its headers and path", handler: with, serve: answers(ok), want: pass},
		row{name: "hook, IPv6", handler: handler{hook: true, podIP: "::1"}, serve: answers(ok), want: pass},
		row{name: "hook, host is a name", handler: handler{hook: true, host: "localhost"}, serve: answers(ok), want: pass},
		row{name: "hook, redirect on the same connection", handler: hook, serve: answers(redirect(302, "/there"), ok), want: pass},
		row{name: "hook, redirect to another port", handler: hook, serve: answers(redirect(302, "http://{other}/x")), other: answers(status(500)), want: pass},
		row{name: "hook, redirect to another host", handler: hook, serve: answers(redirect(302, "http://elsewhere.example/")), want: pass},
		row{name: "hook, redirect in circles", handler: hook, serve: answers(redirect(302, "/again")), want: fail},
		row{name: "hook, redirect to a closed port", handler: hook, serve: answers(redirect(302, "http://127.0.0.1:1/x")), want: fail},
		row{name: "hook, no HTTP", handler: hook, serve: answersAndCloses("hello\r\n\r\n"), want: fail},
		row{name: "hook, closes after the request", handler: hook, serve: func(v *visit) { v.head(); v.Conn.Close() }, want: fail},
		row{name: "hook, resets after the request", handler: hook, serve: func(v *visit) { v.head(); v.reset() }, want: fail},
		row{name: "hook, closed port", handler: hook, port: closedPort, want: fail},
		row{name: "hook, body cut off", handler: hook, serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"), want: pass},
		row{name: "hook, body that takes its time", handler: hook, serve: func(v *visit) {
			v.head()
			v.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
			time.Sleep(400 * time.Millisecond)
			v.say("ok")
		}, want: pass},
		row{name: "hook, long body", handler: hook, serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + strings.Repeat("x", 65536)), want: pass},
		row{name: "hook, gzip that was offered", handler: hook, serve: answers("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x00"), want: pass},
		row{name: "hook, an answer after four seconds", handler: hook, serve: slowly(4*time.Second, ok), want: pass},
		row{name: "hook, TLS on an http port", handler: hook, tls: serverTLS(), serve: answers(ok), want: fail},
		row{name: "https hook", handler: secure, tls: serverTLS(), serve: answers(status(500)), want: pass},
		row{name: "https hook, the server would speak HTTP/2", handler: secure, tls: serverTLS("h2", "http/1.1"), serve: answers(ok), want: pass},
		row{name: "https hook, the server speaks HTTP/2 only", handler: secure, tls: serverTLS("h2"), serve: answers(ok), want: pass},
		row{name: "https hook, client certificate demanded", handler: secure, tls: demandsCertificate(), serve: answers(ok), want: fail, wordsVary: "alert or broken pipe: a race"},
		row{name: "https hook, redirect to http", handler: secure, tls: serverTLS(), serve: answers(redirect(302, "http://{other}/x")), other: answers(ok), want: pass},
		row{name: "https hook, redirect to an https that answers in http", handler: secure, tls: serverTLS(), serve: answers(redirect(302, "https://{other}/x")), other: plainForTLS, want: fail},
		row{name: "https hook answered in http", handler: secure, serve: fallback, want: pass},
		row{name: "https hook answered in http, what the second request holds", handler: secureWith, serve: fallback, want: pass},
		row{name: "https hook answered in http, then not at all", handler: secure, serve: func(v *visit) {
			if v.nth == 1 {
				plainForTLS(v)
				return
			}
			v.head()
			v.Conn.Close()
		}, want: fail},
		row{name: "https hook answered by nonsense", handler: secure, serve: nonsenseForTLS, want: fail},
		row{name: "https hook, closed port", handler: secure, port: closedPort, want: fail},
		row{name: "tcp hook", handler: handler{kind: "tcp", hook: true}, serve: func(*visit) {}, want: pass,
			verdictsDiffer: "kubelet cannot run a tcpSocket hook (invalid handler)", requestsVary: "kubelet sends none"},
	)
}

// plainForTLS is a web server's answer to a ClientHello. The ClientHello is random, so the record only notes it.
func plainForTLS(v *visit) {
	v.record.requests = []string{"a ClientHello"}
	v.Read(make([]byte, 5))
	v.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	v.Conn.Close()
}

func fallback(v *visit) {
	if v.nth == 1 {
		plainForTLS(v)
		return
	}
	answers(status(404))(v)
}

func nonsenseForTLS(v *visit) {
	v.record.requests = []string{"a ClientHello"}
	v.Read(make([]byte, 5))
	v.say("nonsense nonsense")
	v.Conn.Close()
}
