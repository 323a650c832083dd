package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// caller makes one gRPC call with the standard library's HTTP/2. The grpc library would triple the size of the program
// and double its CPU time for the same forty bytes.
type caller struct {
	settings  check
	limit     context.Context
	dialer    *dialer
	transport *http.Transport
	connected atomic.Bool // the server has sent its SETTINGS, which is what the grpc library calls ready
}

func newCaller(limit context.Context, c check) *caller {
	result := &caller{settings: c, limit: limit, dialer: newDialer(c)}
	// net/http treats a connection other than *tls.Conn as plain text, and leaves TLS to the code that opened it.
	result.transport = &http.Transport{
		Protocols:          clearHTTP2(),
		DisableCompression: true,
		DialContext:        result.dial,
		DialTLSContext:     result.dialTLS,
	}
	return result
}

func (c *caller) hangUp() {
	c.transport.CloseIdleConnections()
	c.dialer.hangUp()
}

// check retries once if the server says that it has not begun to process the call. This is the grpc library's
// transparent retry (its stream.go shouldRetry), on which a server that replaces its connections relies.
func (c *caller) check() (servingStatus, error) {
	serving, err := c.once()
	if unprocessed(err) {
		serving, err = c.once()
	}
	return serving, err
}

func (c *caller) once() (servingStatus, error) {
	response, err := c.transport.RoundTrip(c.request())
	if err != nil {
		return statusUnknown, err
	}
	defer response.Body.Close()
	return readAnswer(response)
}

// unprocessed reads net/http's messages (net/http/h2_bundle.go: http2errClientConnGotGoAway, setGoAway, RST_STREAM),
// because it has no error values for them. The body has no GetBody, or net/http would retry by its own rules.
func unprocessed(err error) bool {
	if err == nil || isStatus(err) {
		return false
	}
	words := err.Error()
	return strings.Contains(words, "REFUSED_STREAM") || strings.Contains(words, "Transport received") && strings.Contains(words, "GOAWAY")
}

// request has the header fields of the grpc library (its http2_client.go createHeaderFields) as kubelet links it,
// including gzip. Without a length, the body is sent as the library sends it.
func (c *caller) request() *http.Request {
	request := &http.Request{
		Method:        http.MethodPost,
		URL:           &url.URL{Scheme: c.scheme(), Host: c.settings.address(), Path: "/grpc.health.v1.Health/Check"},
		Body:          io.NopCloser(bytes.NewReader(encodeCheck(c.settings.service))),
		ContentLength: -1,
		Header: http.Header{
			"Content-Type":         {"application/grpc"},
			"User-Agent":           {c.settings.userAgent()},
			"Te":                   {"trailers"},
			"Grpc-Accept-Encoding": {"gzip"},
		},
	}
	if deadline, ok := c.limit.Deadline(); ok {
		request.Header.Set("Grpc-Timeout", encodeTimeout(time.Until(deadline)))
	}
	return request.WithContext(c.limit)
}

func (c *caller) scheme() string {
	if c.settings.tls {
		return "https"
	}
	return "http"
}

// encodeTimeout uses at most the eight digits that the protocol allows (gRPC over HTTP/2, "Timeout").
func encodeTimeout(left time.Duration) string {
	units := []struct {
		name string
		size time.Duration
	}{{"n", 1}, {"u", time.Microsecond}, {"m", time.Millisecond}, {"S", time.Second}, {"M", time.Minute}}
	for _, unit := range units {
		count := (max(left, 0) + unit.size - 1) / unit.size
		if count < 1e8 {
			return strconv.FormatInt(int64(count), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(left/time.Hour)+1, 10) + "H"
}

func (c *caller) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.greeted(conn), nil
}

// dialTLS performs the handshake as the grpc library does (its credentials/tls.go): any certificate is accepted
// (kubelet's pkg/probe/grpc/grpc.go), but HTTP/2 must be negotiated.
func (c *caller) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	secure := tls.Client(conn, c.tlsConfig())
	if err := secure.HandshakeContext(c.limit); err != nil {
		conn.Close()
		return nil, err
	}
	if secure.ConnectionState().NegotiatedProtocol == "" {
		secure.Close()
		return nil, errors.New("credentials: cannot check peer: missing selected ALPN property")
	}
	return c.greeted(secure), nil
}

// tlsConfig offers what RFC 9113 allows for HTTP/2: TLS 1.2, and its ciphers with forward secrecy and AEAD.
func (c *caller) tlsConfig() *tls.Config {
	config := unverified()
	config.ServerName = c.settings.target
	config.NextProtos = []string{"h2"}
	config.MinVersion = tls.VersionTLS12
	for _, suite := range tls.CipherSuites() {
		if !strings.HasSuffix(suite.Name, "_CBC_SHA") && !strings.HasPrefix(suite.Name, "TLS_RSA_") {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	return config
}

func (c *caller) greeted(conn net.Conn) net.Conn {
	return newGreetedConn(c.limit, conn, func() { c.connected.Store(true) })
}

// isStatus distinguishes an answer of the server from a failure to get one.
func isStatus(err error) bool {
	var status *rpcStatus
	return errors.As(err, &status)
}
