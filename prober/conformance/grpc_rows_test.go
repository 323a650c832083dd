package conformance

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

const (
	serving    = "\x08\x01"
	notServing = "\x08\x02"
)

// message frames a HealthCheckResponse.
func message(flag byte, content string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flag}, uint32(len(content)))) + content
}

// replies is a whole gRPC answer: header, messages, trailers.
func replies(body string, trailers ...string) func(c *call) {
	return func(c *call) {
		c.header(false, ":status", "200", "content-type", "application/grpc")
		if body != "" {
			c.data(false, body)
		}
		c.header(true, trailers...)
	}
}

func healthy() func(c *call) { return replies(message(0, serving), "grpc-status", "0") }

func trailersOnly(fields ...string) func(c *call) {
	return func(c *call) {
		c.header(true, append([]string{":status", "200", "content-type", "application/grpc"}, fields...)...)
	}
}

// grpcRows: only SERVING with status OK passes.
func grpcRows() []row {
	plain := func(name string, answer func(c *call), want verdict) row {
		return row{name: "grpc, " + name, handler: handler{kind: "grpc"}, serve: speaksHTTP2(answer), want: want}
	}
	varies := func(r row, why string) row { r.wordsVary = why; return r }
	within := func(r row, seconds int) row { r.handler.timeout = seconds; return r }
	named := func(r row, service string) row { r.handler.service = service; return r }
	transport := "what the grpc library says of its transport"
	unmarshal := "what the protobuf library says of the bytes"

	rows := []row{
		plain("SERVING", healthy(), pass),
		named(plain("SERVING, service named", healthy(), pass), "my.Service"),
		named(plain("SERVING, service in unicode", healthy(), pass), "dienst-ü"),
		named(plain("SERVING, service of 300 bytes", healthy(), pass), strings.Repeat("x", 300)),
		plain("UNKNOWN", replies(message(0, ""), "grpc-status", "0"), fail),
		plain("UNKNOWN, said", replies(message(0, "\x08\x00"), "grpc-status", "0"), fail),
		plain("NOT_SERVING", replies(message(0, notServing), "grpc-status", "0"), fail),
		plain("SERVICE_UNKNOWN", replies(message(0, "\x08\x03"), "grpc-status", "0"), fail),
		plain("a status nobody knows", replies(message(0, "\x08\x2a"), "grpc-status", "0"), fail),
		plain("a negative status", replies(message(0, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "grpc-status", "0"), fail),
		plain("SERVING beyond 32 bits", replies(message(0, "\x08\x81\x80\x80\x80\x10"), "grpc-status", "0"), pass),
		plain("NOT_SERVING, then SERVING", replies(message(0, notServing+serving), "grpc-status", "0"), pass),
		plain("SERVING, then NOT_SERVING", replies(message(0, serving+notServing), "grpc-status", "0"), fail),
		plain("SERVING among fields nobody knows", replies(message(0, "\x12\x03abc\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08\x28\x07\x33\x38\x01\x34"+serving), "grpc-status", "0"), pass),
		plain("status as a string", replies(message(0, "\x0a\x01\x01"), "grpc-status", "0"), fail),
		varies(plain("bytes that are no message", replies(message(0, "\xff\xff\xff"), "grpc-status", "0"), fail), unmarshal),
		varies(plain("message cut off within a field", replies(message(0, serving+"\x12\x09ab"), "grpc-status", "0"), fail), unmarshal),
		varies(plain("field number zero", replies(message(0, "\x00\x01"), "grpc-status", "0"), fail), unmarshal),
		varies(plain("group without end", replies(message(0, serving+"\x33\x38\x01"), "grpc-status", "0"), fail), unmarshal),
		varies(plain("end of a group without beginning", replies(message(0, serving+"\x34"), "grpc-status", "0"), fail), unmarshal),
		varies(plain("groups within groups without end", replies(message(0, strings.Repeat("\x33", 12000)+strings.Repeat("\x34", 12000)+serving), "grpc-status", "0"), fail), unmarshal),
		plain("SERVING in two pieces", inPieces, pass),
		varies(plain("message shorter than it says", replies("\x00\x00\x00\x00\x09"+serving, "grpc-status", "0"), fail), transport),
		varies(plain("message without its length", replies("\x00\x00", "grpc-status", "0"), fail), transport),
		plain("a byte after the message", replies(message(0, serving)+"\x00", "grpc-status", "0"), pass),
		plain("SERVING, length said too great", lengthSaid("99"), pass),
		plain("two messages", replies(message(0, serving)+message(0, serving), "grpc-status", "0"), fail),
		plain("no message, OK", replies("", "grpc-status", "0"), fail),
		plain("no message, OK, trailers only", trailersOnly("grpc-status", "0"), fail),
		plain("message of more than four megabytes", replies("\x00\x00\x40\x00\x01", "grpc-status", "0"), fail),
		plain("SERVING with a long unknown field", longMessage, pass),
		plain("SERVING, compressed", compressed("gzip", zipped(serving)), pass),
		varies(plain("compressed, but no gzip", compressed("gzip", "nonsense"), fail), "what gzip says"),
		plain("compressed by what nobody knows", compressed("snail", zipped(serving)), fail),
		plain("compressed, encoding not named", replies(message(1, zipped(serving)), "grpc-status", "0"), fail),
		plain("compressed, encoding identity", compressed("identity", serving), fail),
		plain("encoding named, not compressed", func(c *call) {
			c.header(false, ":status", "200", "content-type", "application/grpc", "grpc-encoding", "gzip")
			c.data(false, message(0, serving))
			c.header(true, "grpc-status", "0")
		}, pass),
		plain("unknown encoding named, not compressed", func(c *call) {
			c.header(false, ":status", "200", "content-type", "application/grpc", "grpc-encoding", "snail")
			c.data(false, message(0, serving))
			c.header(true, "grpc-status", "0")
		}, pass),
		plain("flag of two", replies(message(2, serving), "grpc-status", "0"), fail),
		varies(plain("SERVING, but no trailers", func(c *call) {
			c.header(false, ":status", "200", "content-type", "application/grpc", "grpc-status", "0")
			c.data(true, message(0, serving))
		}, fail), transport),
		varies(plain("SERVING, trailers without a status", replies(message(0, serving), "x", "y"), fail), transport),
		plain("SERVING, but the status says Internal", replies(message(0, serving), "grpc-status", "13", "grpc-message", "oops"), fail),
		plain("SERVING, status in words", replies(message(0, serving), "grpc-status", "fine"), fail),
		plain("SERVING, status with a leading zero", replies(message(0, serving), "grpc-status", "00"), pass),
		plain("SERVING, content type with a codec", typed("application/grpc+proto"), pass),
		plain("SERVING, content type with a parameter", typed("application/grpc;v=1"), pass),
		plain("SERVING, content type of gRPC-web", typed("application/grpc-web"), fail),
		plain("SERVING, content type of HTML", typed("text/html"), fail),
		plain("SERVING, content type of HTML, long", func(c *call) {
			c.header(false, ":status", "200", "content-type", "text/html")
			c.data(true, strings.Repeat("<", 3000))
		}, fail),
		plain("no content type", func(c *call) { c.header(false, ":status", "200"); c.data(true, message(0, serving)) }, fail),
		plain("no content type and no body", func(c *call) { c.header(true, ":status", "200") }, fail),
		plain("web server's answer that breaks off", func(c *call) {
			c.header(false, ":status", "502", "content-type", "text/html")
			c.data(false, "<html>")
			c.framer.WriteRSTStream(c.stream, http2.ErrCodeCancel)
		}, fail).but(func(r *row) { r.wordsVary = transport }),
		plain("web server's answer with an empty body", func(c *call) { c.header(false, ":status", "503", "content-type", "text/plain"); c.data(true, "") }, fail).but(func(r *row) { r.wordsVary = "the grpc library misses the trailers first" }),
		plain("web server's answer with a trailer", func(c *call) {
			c.header(false, ":status", "503", "content-type", "text/plain")
			c.data(false, "upstream connect error")
			c.header(true, "x", "y")
		}, fail),
		plain("message percent-encoded", trailersOnly("grpc-status", "14", "grpc-message", "not%20yet%0Aready"), fail),
		plain("message wrongly encoded", trailersOnly("grpc-status", "14", "grpc-message", "100% sure"), fail),
		plain("message in the trailers", replies("", "grpc-status", "5", "grpc-message", "unknown service"), fail),
		varies(plain("stream cancelled", func(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeCancel) }, fail), transport),
		varies(plain("stream ends in a protocol error, then SERVING", inTurn(func(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeProtocol) }, healthy()), fail), transport),
		plain("stream refused once", inTurn(refuse, healthy()), pass),
		varies(plain("stream refused twice", inTurn(refuse, refuse, healthy()), fail), transport),
		plain("going away without having begun", inTurn(goAway, healthy()), pass),
		varies(plain("going away twice", inTurn(goAway, goAway, healthy()), fail), transport),
		varies(plain("going away after having begun", func(c *call) { c.framer.WriteGoAway(c.stream, http2.ErrCodeNo, nil); c.Conn.Close() }, fail), transport),
		plain("going away after this", func(c *call) { c.framer.WriteGoAway(c.stream, http2.ErrCodeNo, nil); healthy()(c) }, pass),
		varies(plain("connection closed on the call", func(c *call) { c.Conn.Close() }, fail), transport),
		varies(plain("connection reset on the call", func(c *call) { c.reset() }, fail), transport),
		varies(plain("header in the middle", func(c *call) {
			c.header(false, ":status", "200", "content-type", "application/grpc")
			c.header(false, "x", "y")
			c.data(true, message(0, serving))
		}, fail), transport),
		within(plain("no answer", func(*call) {}, fail), 1),
		within(plain("header, then nothing", func(c *call) { c.header(false, ":status", "200", "content-type", "application/grpc") }, fail), 1),
		within(plain("SERVING after the limit", func(c *call) { time.Sleep(1300 * time.Millisecond); healthy()(c) }, fail), 1),
		plain("SERVING, late but in time", func(c *call) { time.Sleep(500 * time.Millisecond); healthy()(c) }, pass),
		within(plain("message, then no end", func(c *call) {
			c.header(false, ":status", "200", "content-type", "application/grpc")
			c.data(false, message(0, serving))
		}, fail), 1),
		{name: "grpc, IPv6", handler: handler{kind: "grpc", podIP: "::1"}, serve: speaksHTTP2(healthy()), want: pass},
	}
	for code, name := range []string{1: "Canceled", 2: "Unknown", 3: "InvalidArgument", 4: "DeadlineExceeded", 5: "NotFound", 6: "AlreadyExists",
		7: "PermissionDenied", 8: "ResourceExhausted", 9: "FailedPrecondition", 10: "Aborted", 11: "OutOfRange", 12: "Unimplemented",
		13: "Internal", 14: "Unavailable", 15: "DataLoss", 16: "Unauthenticated", 17: "one beyond"} {
		if code > 0 {
			rows = append(rows, plain("status "+name, trailersOnly("grpc-status", fmt.Sprint(code), "grpc-message", "because"), fail))
		}
	}
	for _, code := range []int{204, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504} {
		rows = append(rows,
			plain(fmt.Sprintf("HTTP status %d", code), answer2(fmt.Sprint(code), "", "content-type", "text/plain"), fail),
			plain(fmt.Sprintf("HTTP status %d of a gRPC server", code), answer2(fmt.Sprint(code), "", "content-type", "application/grpc", "grpc-status", "0"), fail),
			plain(fmt.Sprintf("HTTP status %d of a gRPC server that says no", code), answer2(fmt.Sprint(code), "", "content-type", "application/grpc", "grpc-status", "14", "grpc-message", "no"), fail))
	}
	servingBy := func(status string) func(c *call) {
		return func(c *call) {
			c.header(false, ":status", status, "content-type", "application/grpc")
			c.data(false, message(0, serving))
			c.header(true, "grpc-status", "0")
		}
	}
	rows = append(rows, plain("SERVING with HTTP status 503", servingBy("503"), pass), plain("SERVING with HTTP status 404", servingBy("404"), pass))
	return slices.Concat(rows, grpcConnectionRows(), grpcTLSRows())
}

// grpcTLSRows: mode TLS. Any certificate is accepted; TLS 1.2 and HTTP/2 by ALPN are required. Failures before there is
// a call are retried until the time is up, as without TLS.
func grpcTLSRows() []row {
	secure := func(name string, config *tls.Config, want verdict) row {
		return row{name: "grpc, TLS, " + name, handler: handler{kind: "grpc", tls: true, service: "a.B"}, tls: config, serve: speaksHTTP2(healthy()), want: want}
	}
	answering := func(name string, answer func(c *call), want verdict) row {
		return secure(name, serverTLS("h2"), want).but(func(r *row) { r.serve = speaksHTTP2(answer) })
	}
	without := func(name string, config *tls.Config) row {
		return secure(name, config, fail).but(func(r *row) {
			r.handler.timeout, r.wordsVary = 1, "the prober adds why"
			r.requestsVary = "how often it is tried within a second"
		})
	}
	limited := func(version uint16) *tls.Config {
		config := serverTLS("h2")
		config.MinVersion, config.MaxVersion = version, version
		return config
	}
	suite := func(suites ...uint16) *tls.Config {
		config := withRSA(limited(tls.VersionTLS12))
		config.CipherSuites = suites
		return config
	}
	asking := func(kind tls.ClientAuthType) *tls.Config {
		config := serverTLS("h2")
		config.ClientAuth = kind
		return config
	}
	curve := serverTLS("h2")
	curve.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768}
	return []row{
		secure("SERVING", serverTLS("h2"), pass),
		secure("SERVING in IPv6", serverTLS("h2"), pass).but(func(r *row) { r.handler.podIP = "::1" }),
		secure("h2 among others", serverTLS("http/1.1", "h2"), pass),
		secure("TLS 1.2", limited(tls.VersionTLS12), pass),
		secure("TLS 1.3", limited(tls.VersionTLS13), pass),
		secure("key exchange after quantum computers only", curve, pass),
		secure("certificate expired", withALPN(withCertificate(ecKey(), time.Now().Add(-time.Hour), "localhost")), pass),
		secure("certificate for nobody", withALPN(withCertificate(rsaKey(2048), time.Now().Add(time.Hour))), pass),
		secure("client certificate asked for", asking(tls.RequestClientCert), pass),
		secure("ECDHE with GCM only", suite(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), pass),
		answering("NOT_SERVING", replies(message(0, notServing), "grpc-status", "0"), fail),
		answering("status Unimplemented", trailersOnly("grpc-status", "12", "grpc-message", "unknown service"), fail),
		answering("status Unavailable", trailersOnly("grpc-status", "14", "grpc-message", "starting"), fail),
		answering("a web server", answer2("404", "not here", "content-type", "text/plain"), fail),
		answering("stream refused once", inTurn(refuse, healthy()), pass),
		answering("going away without having begun", inTurn(goAway, healthy()), pass),
		answering("no answer", func(*call) {}, fail).but(func(r *row) { r.handler.timeout = 1 }),
		without("no ALPN", serverTLS()),
		without("ALPN http/1.1 only", serverTLS("http/1.1")),
		without("TLS 1.1 only", limited(tls.VersionTLS11)),
		without("ciphers of CBC only", suite(tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)),
		without("certificate of another key", withALPN(mismatched())),
		without("certificate that is none", withALPN(garbled())),
		without("client certificate demanded", asking(tls.RequireAnyClientCert)).but(func(r *row) {
			r.wordsVary = "TLS 1.3 says so after the handshake: a race"
		}),
		without("a server in clear", nil).but(func(r *row) { r.serve = greetsOnly }),
		without("silence", nil).but(func(r *row) {
			r.serve = func(v *visit) { time.Sleep(1500 * time.Millisecond); v.Conn.Close() }
		}),
		secure("closed port", nil, fail).but(func(r *row) {
			r.serve, r.port, r.handler.timeout, r.wordsVary = nil, closedPort, 1, "the prober adds why"
		}),
		secure("closes the first connection, serves the second", serverTLS("h2"), pass).but(func(r *row) {
			r.handler.timeout, r.requestsVary = 4, "what was written before the end is a race"
			r.serve = func(v *visit) {
				if v.nth == 1 {
					v.Conn.Close()
					return
				}
				speaksHTTP2(healthy())(v)
			}
		}),
		{name: "grpc, in clear where the server wants TLS", handler: handler{kind: "grpc", timeout: 1}, tls: serverTLS("h2"), serve: speaksHTTP2(healthy()), want: fail,
			wordsVary: "the prober adds why", requestsVary: "how often it is tried within a second"},
	}
}

func withALPN(config *tls.Config) *tls.Config {
	config.NextProtos = []string{"h2"}
	return config
}

// grpcConnectionRows: failures before there is a call. The grpc library retries until the time is up and then reports
// it; the prober reports its reason as soon as no further attempt fits.
func grpcConnectionRows() []row {
	const early = "the prober adds why"
	short := handler{kind: "grpc", timeout: 1}
	long := handler{kind: "grpc", timeout: 4}
	return []row{
		{name: "grpc, closed port", handler: short, port: closedPort, want: fail, wordsVary: early},
		{name: "grpc, closed port in IPv6", handler: handler{kind: "grpc", timeout: 1, podIP: "::1"}, port: closedPort, want: fail, wordsVary: early},
		{name: "grpc, nobody takes the connection", handler: short, port: blackHole, want: fail, wordsVary: early},
		{name: "grpc, silence after the preface", handler: short, serve: handshake(func(*visit) {}), want: fail},
		{name: "grpc, closes at once", handler: short, serve: handshake(func(v *visit) { v.Conn.Close() }), want: fail, wordsVary: early},
		{name: "grpc, resets at once", handler: short, serve: handshake(func(v *visit) { v.reset() }), want: fail, wordsVary: early},
		{name: "grpc, an HTTP/1 server", handler: short, serve: handshake(func(v *visit) { v.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); v.Conn.Close() }), want: fail, wordsVary: early},
		{name: "grpc, a server that wants TLS", handler: short, serve: handshake(func(v *visit) { v.say("\x15\x03\x01\x00\x02\x02\x46"); v.Conn.Close() }), want: fail, wordsVary: early},
		{name: "grpc, a first frame that is no SETTINGS", handler: short, serve: handshake(func(v *visit) {
			http2.NewFramer(v.Conn, v.Conn).WritePing(false, [8]byte{})
			v.Conn.Close()
		}), want: fail, wordsVary: early},
		{name: "grpc, SETTINGS after half a second", handler: long, serve: func(v *visit) { time.Sleep(500 * time.Millisecond); speaksHTTP2(healthy())(v) }, want: pass},
		{name: "grpc, closes the first connection, serves the second", handler: long, serve: func(v *visit) {
			if v.nth == 1 {
				handshake(func(v *visit) { v.Conn.Close() })(v)
				return
			}
			speaksHTTP2(healthy())(v)
		}, want: pass},
		{name: "grpc, closes two connections, serves the third", handler: long, serve: func(v *visit) {
			if v.nth < 3 {
				handshake(func(v *visit) { v.Conn.Close() })(v)
				return
			}
			speaksHTTP2(healthy())(v)
		}, want: pass},
		{name: "grpc, SETTINGS, then the end", handler: short, serve: handshake(func(v *visit) {
			http2.NewFramer(v.Conn, v.Conn).WriteSettings()
			v.Conn.Close()
		}), want: fail, wordsVary: early, requestsVary: "the grpc library may connect again"},
		{name: "grpc, IPv6 address in long form", handler: handler{kind: "grpc", podIP: "0:0:0:0:0:0:0:1"}, serve: speaksHTTP2(healthy()), want: pass},
	}
}

// handshake is a connection that is not established: the client must send its preface and no call.
func handshake(then behaviour) behaviour {
	return func(v *visit) {
		v.record.prefaceOnly = true
		v.Conn.Read(make([]byte, len(http2.ClientPreface)))
		then(v)
	}
}

func inPieces(c *call) {
	c.header(false, ":status", "200", "content-type", "application/grpc")
	for _, piece := range message(0, serving) {
		c.data(false, string(piece))
		time.Sleep(5 * time.Millisecond)
	}
	c.header(true, "grpc-status", "0")
}

func longMessage(c *call) {
	content := serving + "\x12\xe0\xd4\x03" + strings.Repeat("x", 60000)
	c.header(false, ":status", "200", "content-type", "application/grpc")
	for framed := message(0, content); framed != ""; {
		piece := framed[:min(len(framed), 16000)]
		framed = framed[len(piece):]
		c.data(false, piece)
	}
	c.header(true, "grpc-status", "0")
}

func lengthSaid(length string) func(c *call) {
	return func(c *call) {
		c.header(false, ":status", "200", "content-type", "application/grpc", "content-length", length)
		c.data(false, message(0, serving))
		c.header(true, "grpc-status", "0")
	}
}

func typed(contentType string) func(c *call) {
	return func(c *call) {
		c.header(false, ":status", "200", "content-type", contentType)
		c.data(false, message(0, serving))
		c.header(true, "grpc-status", "0")
	}
}

func compressed(encoding, content string) func(c *call) {
	return func(c *call) {
		c.header(false, ":status", "200", "content-type", "application/grpc", "grpc-encoding", encoding)
		c.data(false, message(1, content))
		c.header(true, "grpc-status", "0")
	}
}

func zipped(content string) string {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	writer.Write([]byte(content))
	writer.Close()
	return buffer.String()
}

func refuse(c *call) { c.framer.WriteRSTStream(c.stream, http2.ErrCodeRefusedStream) }

func goAway(c *call) {
	c.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
	c.Conn.Close()
}
