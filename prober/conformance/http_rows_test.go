package conformance

import (
	"fmt"
	"strings"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func status(code int) string {
	return fmt.Sprintf("HTTP/1.1 %d Something\r\nContent-Length: 4\r\n\r\nbody", code)
}

// statusRows: 2xx pass, 3xx without a destination pass with a warning, all others fail.
func statusRows() []row {
	var rows []row
	add := func(code int, want verdict) {
		rows = append(rows, row{name: fmt.Sprintf("status %d", code), serve: answers(status(code)), want: want})
	}
	for _, code := range []int{200, 201, 202, 203, 206, 207, 208, 226, 250, 299} {
		add(code, pass)
	}
	for _, code := range []int{300, 301, 302, 303, 305, 306, 307, 308, 350, 399} {
		add(code, warn)
	}
	for _, code := range []int{400, 401, 403, 404, 405, 407, 408, 410, 418, 421, 426, 429, 451, 499, 500, 501, 502, 503, 504, 511, 599, 600, 999} {
		add(code, fail)
	}
	empty := func(code int) string { return fmt.Sprintf("HTTP/1.1 %d Something\r\n\r\n", code) }
	return append(rows,
		row{name: "status 204, no body by its nature", serve: answers(empty(204)), want: pass},
		row{name: "status 205, empty", serve: answers("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"), want: pass},
		row{name: "status 304, no body by its nature", serve: answers(empty(304)), want: warn},
		row{name: "status 101 switches protocols", serve: answersAndCloses("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n"), want: fail},
		row{name: "status 100, then 200", serve: answers("HTTP/1.1 100 Continue\r\n\r\n" + ok), want: pass},
		row{name: "status 102, then 500", serve: answers("HTTP/1.1 102 Processing\r\n\r\n" + status(500)), want: fail},
		row{name: "status 103, then 200", serve: answers("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok), want: pass},
		row{name: "status 100 for ever", serve: answersAndCloses(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20)), want: fail},
		row{name: "status 199 and the end", serve: answersAndCloses("HTTP/1.1 199 What\r\n\r\n"), want: fail},
	)
}

// answerRows: ways in which a server can distort a response.
func answerRows() []row {
	long := strings.Repeat("x", 64<<10)
	return []row{
		{name: "no reason phrase", serve: answers("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), want: pass},
		{name: "HTTP/1.0", serve: answersAndCloses("HTTP/1.0 200 OK\r\n\r\nok"), want: pass},
		{name: "HTTP/1.0 with 500", serve: answersAndCloses("HTTP/1.0 500 No\r\n\r\nno"), want: fail},
		{name: "HTTP/1.2", serve: answers("HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n"), want: pass},
		{name: "HTTP/2.0 in the status line of HTTP/1", serve: answers("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"), want: pass},
		{name: "HTTP/9", serve: answersAndCloses("HTTP/9 200 OK\r\n\r\n"), want: fail},
		{name: "status line without version", serve: answersAndCloses("200 OK\r\n\r\n"), want: fail},
		{name: "status line of two figures", serve: answersAndCloses("HTTP/1.1 20 OK\r\n\r\n"), want: fail},
		{name: "status line of four figures", serve: answersAndCloses("HTTP/1.1 2000 OK\r\n\r\n"), want: fail},
		{name: "negative status", serve: answersAndCloses("HTTP/1.1 -20 OK\r\n\r\n"), want: fail},
		{name: "status in words", serve: answersAndCloses("HTTP/1.1 OK OK\r\n\r\n"), want: fail},
		{name: "banner of another protocol", serve: answersAndCloses("220 mail.example ESMTP\r\n"), want: fail},
		{name: "bytes that mean nothing", serve: answersAndCloses("\x00\x01\x02\xff\xfe"), want: fail},
		{name: "line feeds only", serve: answers("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), want: pass},
		{name: "header without colon", serve: answersAndCloses("HTTP/1.1 200 OK\r\nbroken\r\n\r\n"), want: fail},
		{name: "answer with a space in a header name", serve: answersAndCloses("HTTP/1.1 200 OK\r\nbro ken: x\r\n\r\n"), want: pass},
		{name: "header continued on the next line", serve: answers("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"), want: pass},
		{name: "answer cut off in the header", serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Le"), want: fail},
		{name: "header of half a megabyte", serve: answers("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<19) + "\r\nContent-Length: 0\r\n\r\n"), want: pass},
		{name: "header of eleven megabytes", serve: answersAndCloses("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 11<<20) + "\r\n\r\n"), want: fail},
		{name: "three thousand header fields", serve: answers("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 3000) + "Content-Length: 0\r\n\r\n"), want: pass},
		{name: "body to the end of the connection", serve: answersAndCloses("HTTP/1.1 200 OK\r\n\r\nok"), want: pass},
		{name: "body of exactly 10 KiB", serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n" + long[:10240]), want: pass},
		{name: "body of 10 KiB and a byte", serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 10241\r\n\r\n" + long[:10241]), want: pass},
		{name: "body of 64 KiB", serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + long), want: pass},
		{name: "body without end", serve: endlessBody, want: pass},
		{name: "body with 500, without end", serve: func(v *visit) { v.head(); v.say("HTTP/1.1 500 No\r\n\r\n"); forever(v) }, want: fail},
		{name: "body cut off after 10 KiB", serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + long[:10240]), want: pass},
		{name: "body shorter than its length", serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"), want: fail},
		{name: "body shorter than its length, with 500", serve: answersAndCloses("HTTP/1.1 500 No\r\nContent-Length: 20\r\n\r\nok"), want: fail},
		{name: "body shorter than its length, but only twice", serve: func(v *visit) {
			if v.nth < 3 {
				answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok")(v)
				return
			}
			answers(ok)(v)
		}, want: pass},
		{name: "body reset halfway", serve: func(v *visit) { v.head(); v.say("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"); v.reset() }, want: fail, wordsVary: "the reset may overtake the header"},
		{name: "body longer than its length", serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokay"), want: pass},
		{name: "two lengths that agree", serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"), want: pass},
		{name: "two lengths that differ", serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"), want: fail},
		{name: "negative length", serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"), want: fail},
		{name: "length in words", serve: answersAndCloses("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok"), want: fail},
		{name: "length beside chunks", serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), want: pass},
		{name: "chunks", serve: answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), want: pass},
		{name: "chunks with extension and trailer", serve: answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n"), want: pass},
		{name: "chunk length that is none", serve: answersAndCloses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"), want: fail},
		{name: "chunk longer than it says", serve: answersAndCloses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n"), want: fail},
		{name: "chunks without the last one", serve: answersAndCloses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"), want: fail},
		{name: "chunks garbled, with 404", serve: answersAndCloses("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), want: fail},
		{name: "transfer encoding nobody knows", serve: answersAndCloses("HTTP/1.1 200 OK\r\nTransfer-Encoding: snail\r\n\r\nok"), want: fail},
		{name: "gzip that was not asked for", serve: answers("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x00"), want: pass},
		{name: "warning with a body of many lines", serve: answers("HTTP/1.1 302 Found\r\nContent-Length: 9\r\n\r\none\r\ntwo\n"), want: warn},
		{name: "warning with a long body", serve: answers("HTTP/1.1 302 Found\r\nContent-Length: 65536\r\n\r\n" + long), want: warn},
		{name: "closes at once", serve: func(v *visit) { v.Conn.Close() }, want: fail, wordsVary: "EOF, reset or broken pipe: a race", requestsVary: "closed before it is read"},
		{name: "closes after the request", serve: func(v *visit) { v.head(); v.Conn.Close() }, want: fail},
		{name: "resets after the request", serve: func(v *visit) { v.head(); v.reset() }, want: fail},
		{name: "resets at once", serve: func(v *visit) { v.reset() }, want: fail, wordsVary: "read or write fails: a race", requestsVary: "reset before it is read"},
		{name: "closes its sending half after the request", serve: func(v *visit) { v.head(); v.tcp().CloseWrite() }, want: fail},
		{name: "closes its sending half after the answer", serve: func(v *visit) { v.head(); v.say(ok); v.tcp().CloseWrite() }, want: pass},
		{name: "speaks TLS on an http port", tls: serverTLS(), serve: answers(ok), want: fail},
		{name: "answers the first request with an empty answer only", serve: func(v *visit) {
			v.head()
			if v.nth > 1 {
				v.say(ok)
			}
			v.Conn.Close()
		}, want: fail},
	}
}

func endlessBody(v *visit) {
	v.head()
	v.say("HTTP/1.1 200 OK\r\n\r\n")
	forever(v)
}

func forever(v *visit) {
	for {
		if _, err := v.Conn.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// requestRows: every field of a handler that reaches the wire.
func requestRows() []row {
	var rows []row
	for _, path := range []string{"/healthz", "healthz", "/a?b=c&d=e", "?only=query", "/a#fragment", "/a%20b", "/a b", "/ä/ö",
		"/%zz", "/a%2Fb", "//double//slash", "/../up", "/a;b=c", "/a:b", "a:b", "mailto:x", "http://elsewhere.example/x",
		"//elsewhere.example/x", "/a\"<>^`{|}", "/tab\tx", "/line\nbreak", "/?q=a b", "/?q=ä", "/?%zz", "/%00", "/?", "#", "/.", "/a+b", "/[x]", "*",
		"//user:pass@elsewhere.example/x", "/" + strings.Repeat("long/", 1600)} {
		want := pass
		if path == "a:b" || path == "mailto:x" {
			want = fail // read as a URL of another scheme
		}
		name := fmt.Sprintf("path %.40q", path)
		rows = append(rows, row{name: name, handler: handler{path: path}, serve: answers(ok), want: want})
	}
	headers := map[string][][2]string{
		"one":                          {{"X-Check", "yes"}},
		"same name twice":              {{"X-Check", "one"}, {"X-Check", "two"}},
		"same name in two spellings":   {{"x-check", "one"}, {"X-CHECK", "two"}},
		"order of names":               {{"Z", "1"}, {"A", "2"}, {"M", "3"}},
		"empty value":                  {{"X-Empty", ""}},
		"value with spaces around":     {{"X-Space", "  a  "}},
		"value with a colon":           {{"X-Colon", "a: b"}},
		"value with equals and quotes": {{"X-Equals", `a="b"`}},
		"value in unicode":             {{"X-Unicode", "grün"}},
		"value with dollars":           {{"X-Dollar", "$(HOME) $$ $"}},
		"Host":                         {{"Host", "app.example"}},
		"Host with port":               {{"Host", "app.example:8443"}},
		"Host empty":                   {{"Host", ""}},
		"Host twice":                   {{"Host", "first.example"}, {"Host", "second.example"}},
		"host in small letters":        {{"host", "small.example"}},
		"User-Agent":                   {{"User-Agent", "mine/1"}},
		"User-Agent empty":             {{"User-Agent", ""}},
		"user-agent in small letters":  {{"user-agent", "mine/2"}},
		"User-Agent empty, then not":   {{"User-Agent", ""}, {"User-Agent", "mine/3"}},
		"Accept":                       {{"Accept", "application/json"}},
		"Accept empty":                 {{"Accept", ""}},
		"Accept twice":                 {{"Accept", "text/plain"}, {"accept", "text/html"}},
		"Accept empty, then not":       {{"Accept", ""}, {"Accept", "text/html"}},
		"Accept-Encoding":              {{"Accept-Encoding", "gzip"}},
		"Connection keep-alive":        {{"Connection", "keep-alive"}},
		"Content-Length":               {{"Content-Length", "5"}},
		"Transfer-Encoding":            {{"Transfer-Encoding", "chunked"}},
		"Authorization":                {{"Authorization", "Basic eDp5"}},
		"Cookie":                       {{"Cookie", "a=b"}, {"Cookie", "c=d"}},
		"Upgrade":                      {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}},
		"Expect":                       {{"Expect", "100-continue"}},
		"Trailer and TE":               {{"Trailer", "X"}, {"TE", "trailers"}},
		"Range":                        {{"Range", "bytes=0-0"}},
		"forty of them":                forty(),
	}
	for name, fields := range headers {
		rows = append(rows, row{name: "header " + name, handler: handler{path: "/h", headers: fields}, serve: answers(ok), want: pass})
	}
	return append(rows,
		row{name: "header with a space in its name", handler: handler{headers: [][2]string{{"X Y", "z"}}}, serve: answers(ok), want: fail},
		row{name: "header with a line break in its value", handler: handler{headers: [][2]string{{"X", "a\r\nY: b"}}}, serve: answers(ok), want: fail},
		row{name: "Host with a space", handler: handler{headers: [][2]string{{"Host", "a b"}}}, serve: answers(ok), want: pass},
		row{name: "IPv6", handler: handler{podIP: "::1", path: "/six"}, serve: answers(ok), want: pass},
		row{name: "IPv6 in long form", handler: handler{podIP: "0:0:0:0:0:0:0:1", path: "/six"}, serve: answers(ok), want: pass},
		row{name: "host is an address", handler: handler{host: "127.0.0.1", podIP: "127.0.0.1"}, serve: answers(ok), want: pass},
		row{name: "host is a name", handler: handler{host: "localhost", podIP: "127.0.0.1"}, serve: answers(ok), want: pass},
		row{name: "host is a name nobody has", handler: handler{host: "nobody.invalid"}, serve: answers(ok), want: fail, wordsVary: "kubelet and the pod ask different name servers"},
	)
}

func forty() [][2]string {
	var fields [][2]string
	for i := range 40 {
		fields = append(fields, [2]string{fmt.Sprintf("X-Field-%d", i*7%40), fmt.Sprint(i)})
	}
	return fields
}
