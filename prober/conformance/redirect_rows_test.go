package conformance

import (
	"fmt"
	"time"
)

func redirect(code int, location string) string {
	return fmt.Sprintf("HTTP/1.1 %d Elsewhere\r\nLocation: %s\r\nContent-Length: 5\r\n\r\nmoved", code, location)
}

// redirectRows: redirects to the requested host are followed, whatever port and scheme; another host ends the probe
// with success.
func redirectRows() []row {
	var rows []row
	for _, code := range []int{301, 302, 303, 307, 308} {
		rows = append(rows,
			row{name: fmt.Sprintf("%d to another path", code), serve: answers(redirect(code, "/there"), ok), want: pass},
			row{name: fmt.Sprintf("%d to another path that fails", code), serve: answers(redirect(code, "/there"), status(503)), want: fail},
			row{name: fmt.Sprintf("%d to another host", code), serve: answers(redirect(code, "http://elsewhere.example/x")), want: warn},
		)
	}
	for _, code := range []int{300, 304, 305, 306, 309} {
		rows = append(rows, row{name: fmt.Sprintf("%d with a location is not followed", code), serve: answers(redirect(code, "/there"), status(500)), want: warn})
	}
	headers := [][2]string{{"Host", "app.example"}, {"Authorization", "Basic eDp5"}, {"Cookie", "a=b"}, {"X-Check", "yes"}}
	return append(rows,
		row{name: "redirect relative to the path", handler: handler{path: "/a/b"}, serve: answers(redirect(302, "c"), ok), want: pass},
		row{name: "redirect upwards", handler: handler{path: "/a/b/c"}, serve: answers(redirect(302, "../d?e=f"), ok), want: pass},
		row{name: "redirect to a query", handler: handler{path: "/a"}, serve: answers(redirect(302, "?x=y"), ok), want: pass},
		row{name: "redirect with a fragment", handler: handler{path: "/a#one"}, serve: answers(redirect(302, "/b#two"), ok), want: pass},
		row{name: "redirect to the full address", serve: answers(redirect(302, "http://{self}/x"), ok), want: pass},
		row{name: "redirect to the address without scheme", serve: answers(redirect(302, "//{self}/x"), ok), want: pass},
		row{name: "redirect to another port", serve: answers(redirect(302, "http://{other}/x")), other: answers(ok), want: pass},
		row{name: "redirect to another port that fails", serve: answers(redirect(302, "http://{other}/x")), other: answers(status(500)), want: fail},
		row{name: "redirect to another port with headers", handler: handler{headers: headers}, serve: answers(redirect(302, "http://{other}/x")), other: answers(ok), want: pass},
		row{name: "redirect within the port with headers", handler: handler{headers: headers}, serve: answers(redirect(302, "/x"), ok), want: pass},
		row{name: "redirect from http to https", serve: answers(redirect(302, "https://{other}/x")), other: answers(ok), otherTLS: serverTLS(), want: pass},
		row{name: "redirect from https to http", handler: handler{kind: "https"}, tls: serverTLS(), serve: answers(redirect(302, "http://{other}/x")), other: answers(ok), want: pass},
		row{name: "redirect to a port that is closed", serve: answers(redirect(302, "http://127.0.0.1:1/x")), want: fail},
		row{name: "redirect to the name of the same address", serve: answers(redirect(302, "http://localhost:{port}/x"), status(500)), want: warn},
		row{name: "redirect to another spelling of the host", handler: handler{host: "localhost"}, serve: answers(redirect(302, "http://LOCALHOST:{port}/x"), ok), want: warn},
		row{name: "redirect from IPv6 to itself", handler: handler{podIP: "::1"}, serve: answers(redirect(302, "http://{self}/x"), ok), want: pass},
		row{name: "redirect to another host by port 80", serve: answers(redirect(302, "http://elsewhere.example:80/")), want: warn},
		row{name: "redirect to the host without port", serve: answers(redirect(302, "http://127.0.0.1/x")), want: fail},
		row{name: "redirect to another scheme altogether", serve: answers(redirect(302, "ftp://{self}/x")), want: fail},
		row{name: "redirect to a mail address", serve: answers(redirect(302, "mailto:x@y")), want: warn},
		row{name: "redirect to nothing", serve: answers(redirect(302, "")), want: warn},
		row{name: "redirect to what is no URL", serve: answers(redirect(302, "http://[bad/")), want: fail},
		row{name: "redirect to a path in unicode", serve: answers(redirect(302, "/grün"), ok), want: pass},
		row{name: "redirect with two locations", serve: answers("HTTP/1.1 302 F\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", ok), want: pass},
		row{name: "redirect with a body cut off", serve: func(v *visit) {
			if v.nth > 1 {
				answers(ok)(v)
				return
			}
			answersAndCloses("HTTP/1.1 302 F\r\nLocation: /a\r\nContent-Length: 50\r\n\r\nx")(v)
		}, want: pass},
		row{name: "redirect that sets a cookie", serve: answers("HTTP/1.1 302 F\r\nLocation: /a\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", ok), want: pass},
		row{name: "redirect in circles", serve: answers(redirect(302, "/again")), want: fail},
		row{name: "redirect between two ports for ever", serve: answers(redirect(302, "http://{other}/")), other: answers(redirect(302, "http://{self}/")), want: fail},
		row{name: "nine redirects", serve: answers(many(9)...), want: pass},
		row{name: "ten redirects", serve: answers(many(10)...), want: fail},
		row{name: "redirect within, then to another host", serve: answers(redirect(302, "/a"), redirect(302, "http://elsewhere.example/")), want: warn},
		row{name: "hop by hop beyond the time limit", handler: handler{timeout: 1}, serve: slowly(300*time.Millisecond, redirect(302, "/again")), want: fail, wordsVary: "where the time runs out", requestsVary: "as many as fit into a second"},
	)
}

func many(redirects int) []string {
	var texts []string
	for i := range redirects {
		texts = append(texts, redirect(302, fmt.Sprintf("/hop/%d", i)))
	}
	return append(texts, ok)
}

// timeRows: one deadline for everything, from the connection to the body's last byte.
func timeRows() []row {
	hold := func(v *visit) { v.head() }
	return []row{
		{name: "no answer", handler: handler{timeout: 1}, serve: hold, want: fail},
		{name: "an answer within the limit", handler: handler{timeout: 3}, serve: slowly(700*time.Millisecond, ok), want: pass},
		{name: "header after the limit", handler: handler{timeout: 1}, serve: slowly(1500*time.Millisecond, ok), want: fail},
		{name: "status line, then silence", handler: handler{timeout: 1}, serve: func(v *visit) { v.head(); v.say("HTTP/1.1 200 OK\r\n") }, want: fail},
		{name: "header byte by byte, too slow", handler: handler{timeout: 1}, serve: func(v *visit) { v.head(); drip(v, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 60*time.Millisecond) }, want: fail},
		{name: "header byte by byte, in time", handler: handler{timeout: 3}, serve: func(v *visit) { v.head(); drip(v, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 10*time.Millisecond) }, want: pass},
		{name: "header, then no body", handler: handler{timeout: 1}, serve: func(v *visit) { v.head(); v.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n") }, want: fail, requestsVary: threeTimes},
		{name: "body byte by byte, too slow", handler: handler{timeout: 1}, serve: func(v *visit) {
			v.head()
			v.say("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
			drip(v, "0123456789012345678901234567890123456789", 60*time.Millisecond)
		}, want: fail, requestsVary: threeTimes},
		{name: "body byte by byte, in time", handler: handler{timeout: 3}, serve: func(v *visit) {
			v.head()
			v.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
			drip(v, "0123456789", 20*time.Millisecond)
		}, want: pass},
		{name: "no body with 500", handler: handler{timeout: 1}, serve: func(v *visit) { v.head(); v.say("HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n") }, want: fail, requestsVary: threeTimes},
		{name: "no TLS handshake", handler: handler{kind: "https", timeout: 1}, serve: func(v *visit) {
			v.record.requests = []string{"a ClientHello"}
			time.Sleep(1500 * time.Millisecond)
			v.Conn.Close()
		}, want: fail},
		{name: "nobody takes the connection", handler: handler{timeout: 1}, port: blackHole, want: fail, wordsVary: "the dialer's deadline or the client's: a race"},
		{name: "https, nobody takes the connection", handler: handler{kind: "https", timeout: 1}, port: blackHole, want: fail, wordsVary: "the dialer's deadline or the client's: a race"},
		{name: "closed port", port: closedPort, want: fail},
		{name: "https, closed port", handler: handler{kind: "https"}, port: closedPort, want: fail},
		{name: "closed port in IPv6", handler: handler{podIP: "::1"}, port: closedPort, want: fail},
	}
}

const threeTimes = "kubelet asks three times with a time limit each; an exec probe has one for all"

func slowly(delay time.Duration, text string) behaviour {
	return func(v *visit) {
		for {
			if _, ok := v.head(); !ok {
				return
			}
			time.Sleep(delay)
			v.say(text)
		}
	}
}

func drip(v *visit, text string, delay time.Duration) {
	for i := range text {
		v.say(text[i : i+1])
		time.Sleep(delay)
	}
}
