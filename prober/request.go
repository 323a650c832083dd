package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// maxBody is how much of a response kubelet reads (pkg/probe/http/http.go and lifecycle/handlers.go maxRespBodyLength).
const maxBody = 10 << 10

// maxRedirects is net/http's own default, which kubelet keeps (pkg/probe/http/http.go RedirectChecker).
const maxRedirects = 10

// request builds kubelet's request. It fails only if host is invalid in a URL.
func (c check) request() (*http.Request, error) {
	request, err := http.NewRequest(http.MethodGet, c.url().String(), nil)
	if err != nil {
		return nil, fmt.Errorf("--host: %q; allowed: an address or a name (%v)", c.target, err)
	}
	request.Header = c.httpHeader()
	request.Host = request.Header.Get("Host")
	return request, nil
}

// url prepends scheme and address to the path, which may contain a query or a fragment. A path that is not a valid URL
// is escaped as a whole, because kubelet has always sent it and people rely on it (request.go formatURL).
func (c check) url() *url.URL {
	target, err := url.Parse(c.path)
	if err != nil {
		target = &url.URL{Path: c.path}
	}
	target.Scheme, target.Host = c.kind, c.address()
	return target
}

// httpHeader implements kubelet's rules: names are canonical and values add up; User-Agent and Accept have a default
// unless set; an empty Accept is not sent. (An empty User-Agent is not sent either, by net/http's rule.)
func (c check) httpHeader() http.Header {
	result := http.Header{}
	for _, header := range c.headers {
		result.Add(header.name, header.value)
	}
	if _, named := result["User-Agent"]; !named {
		result.Set("User-Agent", c.userAgent())
	}
	if _, named := result["Accept"]; !named {
		result.Set("Accept", "*/*")
	}
	if result.Get("Accept") == "" {
		result.Del("Accept")
	}
	return result
}

// userAgent keeps kubelet's product names, by which access logs and applications filter.
func (c check) userAgent() string {
	if c.hook {
		return "kube-lifecycle/" + version
	}
	return "kube-probe/" + version
}

// followLocal stays on the requested host; port and scheme may change. A response that redirects elsewhere is itself
// the answer (pkg/probe/http/http.go RedirectChecker without non-local redirects).
func followLocal(next *http.Request, via []*http.Request) error {
	if next.URL.Hostname() != via[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	if len(via) >= maxRedirects {
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// unverified is kubelet's TLS: any certificate is accepted, because kubelet cannot know which one to expect.
func unverified() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
