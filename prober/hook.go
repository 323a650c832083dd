package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// judgeHook judges an httpGet lifecycle hook (pkg/kubelet/lifecycle/handlers.go runHTTPHandler). Any response is
// success. If an https hook is answered in plain HTTP, it is repeated in HTTP without its credentials: kubelet did not
// speak TLS in hooks before 1.25, and pods from that time still say https.
func (c check) judgeHook() (verdict, error) {
	request, err := c.request()
	if err != nil {
		return verdict{}, err
	}
	dialer := newDialer(c)
	client := &http.Client{Transport: hookTransport(dialer), CheckRedirect: followLocal, Timeout: c.timeout}
	defer dialer.hangUp()
	defer client.CloseIdleConnections()
	err = send(client, request)
	if answeredInPlain(err) && send(client, inPlain(request)) == nil {
		err = nil
	}
	if err != nil {
		return failed("%v", err), nil
	}
	return passed(""), nil
}

// send also waits for the body, up to kubelet's limit (handlers.go discardHTTPRespBody). A preStop endpoint that
// answers at once and ends its body after draining delays the container's end until then. How the body ends does not
// matter.
func send(client *http.Client, request *http.Request) error {
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.ContentLength <= maxBody {
		io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	}
	return nil
}

// answeredInPlain matches the error text, because net/http has no error value for it; kubelet does the same.
func answeredInPlain(err error) bool {
	var failure *url.Error
	return errors.As(err, &failure) && strings.Contains(failure.Err.Error(), "server gave HTTP response to HTTPS client")
}

func inPlain(request *http.Request) *http.Request {
	plain := request.Clone(request.Context())
	plain.URL.Scheme = "http"
	plain.Header.Del("Authorization")
	return plain
}

// hookTransport is simpler than that of probes (pkg/kubelet/kubelet.go insecureContainerLifecycleHTTPClient): HTTP/1.1
// only, connections are kept for the next redirect, compression is offered.
func hookTransport(dialer *dialer) *http.Transport {
	return &http.Transport{TLSClientConfig: unverified(), DialContext: dialer.DialContext}
}
