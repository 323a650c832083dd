package conformance

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// call is one HTTP/2 request and the server's possible reactions.
type call struct {
	*visit
	framer *http2.Framer
	stream uint32
	fields []string
	body   []byte
	nth    int // which request of this client it is, from 1
}

// speaksHTTP2 is a server in frames, so that it can also misbehave.
func speaksHTTP2(answer func(c *call)) behaviour {
	return func(v *visit) {
		v.record.requests = []string{"HTTP/2"}
		framer := v.greet()
		if framer == nil {
			return
		}
		serveFrames(v, framer, answer)
	}
}

// greet reads the client's preface and sends the server's, which is an empty SETTINGS.
func (v *visit) greet() *http2.Framer {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(v.Conn, preface); err != nil || string(preface) != http2.ClientPreface {
		return nil
	}
	framer := http2.NewFramer(v.Conn, v.Conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.AllowIllegalWrites = true
	framer.WriteSettings()
	return framer
}

func serveFrames(v *visit, framer *http2.Framer, answer func(c *call)) {
	calls := map[uint32]*call{}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		ended := false
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !frame.IsAck() {
				framer.WritePing(true, frame.Data)
			}
		case *http2.MetaHeadersFrame:
			calls[frame.StreamID] = &call{visit: v, framer: framer, stream: frame.StreamID, fields: fieldsOf(frame)}
			ended = frame.StreamEnded()
		case *http2.DataFrame:
			c := calls[frame.StreamID]
			c.body = append(c.body, frame.Data()...)
			ended = frame.StreamEnded()
		}
		if ended {
			c := calls[frame.Header().StreamID]
			c.nth = int(v.stage.count.Add(1))
			v.record.requests = append(v.record.requests, fmt.Sprintf("%q %q", c.fields, c.body))
			answer(c)
		}
	}
}

// fieldsOf sorts, because both clients write in no defined order, and omits the remaining time.
func fieldsOf(frame *http2.MetaHeadersFrame) []string {
	var fields []string
	for _, field := range frame.Fields {
		value := field.Value
		if field.Name == "grpc-timeout" {
			value = "(left)"
		}
		if field.Name == "user-agent" {
			value = agentVersion.ReplaceAllString(value, "kube-$1/VERSION")
		}
		fields = append(fields, field.Name+": "+value)
	}
	slices.Sort(fields)
	return fields
}

func encoded(fields ...string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return block.Bytes()
}

// header writes a header block of names and values.
func (c *call) header(end bool, fields ...string) {
	block := encoded(fields...)
	first := block[:min(len(block), 16000)]
	c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.stream, BlockFragment: first, EndStream: end, EndHeaders: len(first) == len(block)})
	for rest := block[len(first):]; len(rest) > 0; {
		piece := rest[:min(len(rest), 16000)]
		rest = rest[len(piece):]
		c.framer.WriteContinuation(c.stream, len(rest) == 0, piece)
	}
}

func (c *call) data(end bool, content string) { c.framer.WriteData(c.stream, end, []byte(content)) }

// answer2 is a plain HTTP response in HTTP/2.
func answer2(status, body string, fields ...string) func(c *call) {
	return func(c *call) {
		c.header(body == "", append([]string{":status", status}, fields...)...)
		if body != "" {
			c.data(true, body)
		}
	}
}

// inTurn gives each request its own answer; the last one repeats.
func inTurn(answers ...func(c *call)) func(c *call) {
	return func(c *call) { answers[min(c.nth, len(answers))-1](c) }
}

const race = "what was read, the end or a reset: a race"

func http2Rows() []row {
	speak := func(name string, answer func(c *call), want verdict) row {
		return row{name: "HTTP/2, " + name, handler: handler{kind: "https", path: "/healthz?a=b"}, tls: serverTLS("h2", "http/1.1"), serve: speaksHTTP2(answer), want: want}
	}
	with := func(r row, change func(*row)) row {
		change(&r)
		return r
	}
	headers := [][2]string{{"Host", "app.example"}, {"X-Check", "one"}, {"x-check", "two"}, {"User-Agent", ""}, {"Accept", ""}, {"Connection", "close"}, {"Empty", ""}}
	var rows []row
	for status, want := range map[string]verdict{"200": pass, "204": pass, "302": warn, "304": warn, "404": fail, "500": fail, "503": fail} {
		rows = append(rows, speak("status "+status, answer2(status, ""), want))
	}
	return append(rows,
		speak("with a body", answer2("200", "ok"), pass),
		speak("with a length", answer2("200", "ok", "content-length", "2"), pass),
		speak("with a length too small", answer2("200", "okay", "content-length", "2"), fail),
		speak("with a length too great", answer2("200", "ok", "content-length", "9"), fail),
		speak("with a trailer", func(c *call) { c.header(false, ":status", "200"); c.data(false, "ok"); c.header(true, "x", "y") }, pass),
		speak("early hints first", func(c *call) { c.header(false, ":status", "103"); c.header(true, ":status", "200") }, pass),
		speak("redirect to itself", inTurn(answer2("302", "", "location", "/there"), answer2("200", "")), pass),
		speak("redirect to another host", answer2("302", "", "location", "https://elsewhere.example/"), warn),
		speak("no status", func(c *call) { c.header(true, "x", "y") }, fail),
		speak("status in words", answer2("fine", ""), fail),
		speak("data before the header", func(c *call) { c.data(true, "ok") }, fail),
		speak("header in capitals", answer2("200", "", "X-Capital", "y"), fail),
		speak("header of 40 KiB", answer2("200", "", "x", strings.Repeat("x", 40<<10)), pass),
		with(speak("stream refused once", inTurn(func(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeRefusedStream) }, answer2("200", "")), pass), func(*row) {}),
		speak("stream cancelled", func(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeCancel) }, fail),
		speak("stream ends in an error after the header", func(c *call) {
			c.header(false, ":status", "200")
			c.framer.WriteRSTStream(c.stream, http2.ErrCodeInternal)
		}, fail),
		with(speak("going away without having begun", inTurn(func(c *call) { c.framer.WriteGoAway(0, http2.ErrCodeNo, nil); c.Conn.Close() }, answer2("200", "")), pass), func(*row) {}),
		speak("going away after this", func(c *call) { c.framer.WriteGoAway(c.stream, http2.ErrCodeNo, nil); answer2("200", "")(c) }, pass),
		speak("going away in anger", func(c *call) { c.framer.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("stop")); c.Conn.Close() }, fail),
		speak("connection closed on the request", func(c *call) { c.Conn.Close() }, fail).but(func(r *row) { r.wordsVary = race }),
		speak("frame for a stream that nobody opened", func(c *call) { c.framer.WriteData(99, true, []byte("x")); c.Conn.Close() }, fail),
		with(speak("nothing", func(c *call) {}, fail), func(r *row) { r.handler.timeout = 1 }),
		with(speak("header, then nothing", func(c *call) { c.header(false, ":status", "200") }, fail), func(r *row) { r.handler.timeout = 1; r.requestsVary = threeTimes }),
		with(speak("headers of the handler", answer2("200", ""), pass), func(r *row) { r.handler.headers = headers }),
		with(speak("host is a name", answer2("200", ""), pass), func(r *row) { r.handler.host = "localhost" }),
		with(speak("chosen, but HTTP/1.1 spoken", nil, fail), func(r *row) {
			r.serve = func(v *visit) { v.record.requests = []string{"HTTP/2"}; v.say(ok); v.Conn.Close() }
			r.wordsVary = "read or write fails: a race"
		}),
		with(speak("not chosen: HTTP/1.1", nil, pass), func(r *row) { r.tls, r.serve = serverTLS("http/1.1"), answers(ok) }),
		with(speak("only", answer2("200", ""), pass), func(r *row) { r.tls = serverTLS("h2") }),
		with(speak("in TLS 1.2", answer2("200", ""), pass), func(r *row) { r.tls.MaxVersion = tls.VersionTLS12 }),
		with(speak("in clear on an http port", answer2("200", ""), fail), func(r *row) { r.handler.kind, r.tls = "http", nil; r.serve = greetsOnly }),
		with(speak("slow, in time", func(c *call) { time.Sleep(300 * time.Millisecond); answer2("200", "")(c) }, pass), func(*row) {}),
	)
}

// clearHTTP2Rows: httpGet with protocol HTTP2. The client speaks HTTP/2 from the first byte, and there is no fallback.
func clearHTTP2Rows() []row {
	speak := func(name string, answer func(c *call), want verdict) row {
		return row{name: "h2c, " + name, handler: handler{h2c: true, path: "/healthz?a=b"}, serve: speaksHTTP2(answer), want: want}
	}
	serving := func(name string, serve behaviour, want verdict) row {
		return speak(name, nil, want).but(func(r *row) { r.serve = serve })
	}
	within := func(r row, seconds int) row { r.handler.timeout = seconds; return r }
	headers := [][2]string{{"Host", "app.example"}, {"X-Check", "one"}, {"x-check", "two"}, {"User-Agent", ""}, {"Accept", ""}, {"Connection", "close"}, {"Empty", ""}}
	var rows []row
	for status, want := range map[string]verdict{"200": pass, "204": pass, "299": pass, "302": warn, "304": warn, "399": warn, "400": fail, "404": fail, "500": fail, "503": fail} {
		rows = append(rows, speak("status "+status, answer2(status, ""), want))
	}
	for _, path := range []string{"", "healthz", "/a b", "/a%2Fb", "/?q=ä", "/a#fragment", "/%zz", "*"} {
		rows = append(rows, speak(fmt.Sprintf("path %q", path), answer2("200", ""), pass).but(func(r *row) { r.handler.path = path }))
	}
	return append(rows,
		speak("with a body", answer2("200", "ok"), pass),
		speak("with a body of 64 KiB", func(c *call) {
			c.header(false, ":status", "200")
			for range 4 {
				c.data(false, strings.Repeat("x", 16<<10))
			}
			c.data(true, "")
		}, pass),
		speak("with a length too great", answer2("200", "ok", "content-length", "9"), fail),
		speak("with a trailer", func(c *call) { c.header(false, ":status", "200"); c.data(false, "ok"); c.header(true, "x", "y") }, pass),
		speak("early hints first", func(c *call) { c.header(false, ":status", "103"); c.header(true, ":status", "200") }, pass),
		speak("headers of the handler", answer2("200", ""), pass).but(func(r *row) { r.handler.headers = headers }),
		speak("IPv6", answer2("200", ""), pass).but(func(r *row) { r.handler.podIP = "::1" }),
		speak("redirect to itself", inTurn(answer2("302", "", "location", "/there"), answer2("200", "")), pass),
		speak("redirect in circles", answer2("302", "", "location", "/again"), fail),
		speak("redirect to another host", answer2("302", "moved", "location", "http://elsewhere.example/"), warn),
		speak("redirect to another port", func(c *call) { answer2("302", "", "location", c.stage.names.Replace("http://{other}/x"))(c) }, pass).but(func(r *row) {
			r.other = speaksHTTP2(answer2("200", ""))
		}),
		speak("redirect to another port in HTTP/1.1", func(c *call) { answer2("302", "", "location", c.stage.names.Replace("http://{other}/x"))(c) }, fail).but(func(r *row) {
			r.other, r.wordsVary = http1Only, race
		}),
		speak("redirect to https, whose certificate nobody vouches for", func(c *call) { answer2("302", "", "location", c.stage.names.Replace("https://{other}/x"))(c) }, fail).but(func(r *row) {
			r.other, r.otherTLS = answers(ok), serverTLS("h2", "http/1.1")
		}),
		speak("stream refused once", inTurn(func(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeRefusedStream) }, answer2("200", "")), pass),
		speak("stream cancelled", func(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeCancel) }, fail),
		speak("going away without having begun", inTurn(func(c *call) { c.framer.WriteGoAway(0, http2.ErrCodeNo, nil); c.Conn.Close() }, answer2("200", "")), pass),
		speak("going away in anger", func(c *call) { c.framer.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("stop")); c.Conn.Close() }, fail),
		speak("connection closed on the request", func(c *call) { c.Conn.Close() }, fail).but(func(r *row) { r.wordsVary = race }),
		speak("header of 40 KiB", answer2("200", "", "x", strings.Repeat("x", 40<<10)), pass),
		speak("no status", func(c *call) { c.header(true, "x", "y") }, fail),
		within(speak("nothing", func(c *call) {}, fail), 1),
		within(speak("header, then nothing", func(c *call) { c.header(false, ":status", "200") }, fail), 1).but(func(r *row) { r.requestsVary = threeTimes }),
		speak("slow, in time", func(c *call) { time.Sleep(300 * time.Millisecond); answer2("200", "")(c) }, pass),
		serving("a server of HTTP/1.1", http1Only, fail).but(func(r *row) { r.wordsVary = race }),
		within(serving("a server of HTTP/1.1 that waits for more", prefaced(func(v *visit) { time.Sleep(1500 * time.Millisecond) }), fail), 1),
		serving("a server of TLS", prefaced(func(v *visit) { v.say("\x15\x03\x01\x00\x02\x02\x46"); v.Conn.Close() }), fail).but(func(r *row) { r.wordsVary = race }),
		serving("closes after the preface", prefaced(func(v *visit) { v.Conn.Close() }), fail).but(func(r *row) { r.wordsVary = race }),
		serving("resets at once", prefaced(func(v *visit) { v.reset() }), fail).but(func(r *row) { r.wordsVary = race }),
		within(serving("silence", prefaced(func(v *visit) { time.Sleep(1500 * time.Millisecond) }), fail), 1),
		serving("closed port", nil, fail).but(func(r *row) { r.port = closedPort }),
		within(serving("nobody takes the connection", nil, fail), 1).but(func(r *row) { r.port, r.wordsVary = blackHole, "the dialer's deadline or the client's: a race" }),
	)
}

// prefaced waits for the preface of HTTP/2; what else the client has sent by then is a race.
func prefaced(then behaviour) behaviour {
	return func(v *visit) {
		preface := make([]byte, len(http2.ClientPreface))
		io.ReadFull(v.Conn, preface)
		v.record.requests = []string{fmt.Sprintf("%q", preface)}
		then(v)
	}
}

// http1Only answers the preface as servers without HTTP/2 do.
var http1Only = prefaced(func(v *visit) {
	v.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	v.Conn.Close()
})

// greetsOnly is a clear-text HTTP/2 server that answers HTTP/1.1 as such servers do: with its SETTINGS and the end.
func greetsOnly(v *visit) {
	v.head()
	http2.NewFramer(v.Conn, v.Conn).WriteSettings()
	v.Conn.Close()
}
