package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAttempts is how often kubelet tries if a response breaks off in its body (pkg/kubelet/prober/prober.go
// maxProbeRetries). Any other failure counts at once.
const maxAttempts = 3

// judgeHTTP judges an httpGet probe. All attempts share one deadline: kubelet gives each its own, but ends an exec
// probe after timeoutSeconds in total. (kubelet then discards a body that broke off every time as "unknown". An exit
// code cannot say unknown, so here it is the failure that kubelet's HTTP prober itself returned.)
func (c check) judgeHTTP() (verdict, error) {
	start := time.Now()
	dialer := newDialer(c)
	defer dialer.hangUp()
	client := &http.Client{Transport: c.transport(dialer), CheckRedirect: followLocal, Timeout: c.timeout}
	for attempt := 1; ; attempt++ {
		request, err := c.request()
		if err != nil {
			return verdict{}, err
		}
		result, err := ask(client, request)
		if err == nil {
			return result, nil
		}
		left, some := c.timeLeft(start)
		if attempt == maxAttempts || !some {
			return failed("HTTP probe could not read the body of its answer: %v", err), nil
		}
		client.Timeout = left
	}
}

func (c check) timeLeft(start time.Time) (left time.Duration, some bool) {
	if c.timeout == 0 {
		return 0, true
	}
	left = c.timeout - time.Since(start)
	return left, left > 0
}

// ask makes one attempt (pkg/probe/http/http.go DoHTTPProbe). An error means that the body could not be read.
func ask(client *http.Client, request *http.Request) (verdict, error) {
	response, err := client.Do(request)
	if err != nil {
		return failed("%v", err), nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return verdict{}, err
	}
	return judgeStatus(response.StatusCode, body), nil
}

// judgeStatus judges the response. A remaining 3xx is a redirect to another host or one without a destination, which is
// a success that kubelet warns about. A failure does not quote the body, because it may contain data that a describe
// should not show (kubernetes issue 99425).
func judgeStatus(status int, body []byte) verdict {
	switch {
	case status >= 200 && status < 300:
		return passed("")
	case status >= 300 && status < 400:
		return passed(fmt.Sprintf("Probe terminated redirects, Response body: %s", body))
	}
	return failed("HTTP probe failed with statuscode: %d", status)
}

func (c check) transport(dialer *dialer) *http.Transport {
	if c.h2c {
		return clearHTTP2Transport(dialer)
	}
	return probeTransport(dialer)
}

// probeTransport has kubelet's settings for probes (pkg/probe/http/http.go NewWithTLSConfig, and the defaults of
// apimachinery's SetTransportDefaults: HTTP/2 by ALPN with its health check, ten seconds for a TLS handshake). Without
// Proxy, the environment is ignored.
func probeTransport(dialer *dialer) *http.Transport {
	return &http.Transport{
		TLSClientConfig:     unverified(),
		DisableKeepAlives:   true,
		DisableCompression:  true,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		DialContext:         dialer.DialContext,
	}
}

// clearHTTP2Transport speaks HTTP/2 without negotiation (pkg/probe/http/http.go NewWithTLSConfig, h2cTransport). A
// redirect to https is the only request for which kubelet verifies a certificate, with the node's authorities; none
// exist here.
func clearHTTP2Transport(dialer *dialer) *http.Transport {
	return &http.Transport{
		Protocols:          clearHTTP2(),
		TLSClientConfig:    &tls.Config{RootCAs: x509.NewCertPool()},
		DisableKeepAlives:  true,
		DisableCompression: true,
		DialContext:        dialer.DialContext,
	}
}

func clearHTTP2() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}
