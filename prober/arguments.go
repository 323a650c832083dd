package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const subcommands = "one of http, https, tcp, grpc, install, version"

// check is a handler of the Kubernetes API, as spelled on the command line.
type check struct {
	kind    string // http, https, tcp or grpc
	port    int
	host    string // the handler's host field; empty: the pod's own address
	path    string
	headers []header
	service string
	timeout time.Duration // zero: no limit of its own, as with kubelet's hooks
	hook    bool
	h2c     bool   // httpGet.protocol: HTTP2, clear-text HTTP/2
	tls     bool   // grpc.mode: TLS
	target  string // where to dial: host, otherwise the pod's address
}

type header struct{ name, value string }

// option is one flag: the kinds of check that accept it, its allowed values (for the error), and how it is stored.
type option struct {
	kinds   string
	allowed string
	repeats bool
	set     func(*check, string) bool
}

var options = map[string]option{
	"port":    {"http https tcp grpc", "1-65535", false, setPort},
	"host":    {"http https tcp grpc", "an address or a name", false, setHost},
	"path":    {"http https", "a path", false, func(c *check, v string) bool { c.path = v; return true }},
	"header":  {"http https", "NAME: VALUE, with one space after the colon", true, setHeader},
	"service": {"grpc", "a name in UTF-8", false, func(c *check, v string) bool { c.service = v; return utf8.ValidString(v) }},
	"timeout": {"http https tcp grpc", "whole seconds from 1s", false, setTimeout},
}

// toggle is a flag without a value: the kinds of check that accept it, and what it sets.
type toggle struct {
	kinds string
	field func(*check) *bool
}

// The Kubernetes API has no grpc hook (core/v1 LifecycleHandler), and its HTTP2 requires the scheme HTTP
// (pkg/apis/core/validation validateHTTPGetAction).
var toggles = map[string]toggle{
	"hook": {"http https tcp", func(c *check) *bool { return &c.hook }},
	"h2c":  {"http", func(c *check) *bool { return &c.h2c }},
	"tls":  {"grpc", func(c *check) *bool { return &c.tls }},
}

// parse reads the flags of a check. Flags have one spelling, --name=value, so that a rewritten pod also has one
// spelling, and no value can ever be mistaken for a flag.
func parse(kind string, args []string) (check, error) {
	c := check{kind: kind, path: "/"}
	if !slices.Contains([]string{"http", "https", "tcp", "grpc"}, kind) {
		return c, fmt.Errorf("%q: unknown subcommand; %s", kind, subcommands)
	}
	seen := map[string]bool{}
	for _, arg := range args {
		if err := c.take(arg, seen); err != nil {
			return c, err
		}
	}
	if !seen["port"] {
		return c, fmt.Errorf("--port: missing; allowed: --port=N with N %s", options["port"].allowed)
	}
	// kubelet sends every hook in HTTP/1.1, whatever its protocol says (lifecycle/handlers.go runHTTPHandler).
	if c.h2c && c.hook {
		return c, fmt.Errorf("--h2c: not with --hook; allowed for probes")
	}
	return c, nil
}

func (c *check) take(arg string, seen map[string]bool) error {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
	if toggle, known := toggles[name]; known && arg == "--"+name {
		return c.turnOn(name, toggle, seen)
	}
	option, known := options[name]
	switch {
	case !strings.HasPrefix(arg, "--") || !known:
		return fmt.Errorf("%s: unknown argument; allowed for %s: %s", arg, c.kind, flagsOf(c.kind))
	case !isFor(c.kind, option.kinds):
		return notFor(name, option.kinds)
	case !hasValue:
		return fmt.Errorf("--%s: no value; allowed: --%s=VALUE with %s", name, name, option.allowed)
	case seen[name] && !option.repeats:
		return fmt.Errorf("--%s: given twice; allowed: once", name)
	case !option.set(c, value):
		return fmt.Errorf("--%s: %q; allowed: %s", name, value, option.allowed)
	}
	seen[name] = true
	return nil
}

func (c *check) turnOn(name string, toggle toggle, seen map[string]bool) error {
	switch {
	case !isFor(c.kind, toggle.kinds):
		return notFor(name, toggle.kinds)
	case seen[name]:
		return fmt.Errorf("--%s: given twice; allowed: once", name)
	}
	*toggle.field(c), seen[name] = true, true
	return nil
}

func isFor(kind, kinds string) bool { return slices.Contains(strings.Fields(kinds), kind) }

func notFor(name, kinds string) error {
	return fmt.Errorf("--%s: allowed only for %s", name, strings.ReplaceAll(kinds, " ", ", "))
}

// flagsOf lists the flags of a kind, those with a value first.
func flagsOf(kind string) string {
	var values, others []string
	for name, option := range options {
		if isFor(kind, option.kinds) {
			values = append(values, "--"+name+"=")
		}
	}
	for name, toggle := range toggles {
		if isFor(kind, toggle.kinds) {
			others = append(others, "--"+name)
		}
	}
	slices.Sort(values)
	slices.Sort(others)
	return strings.Join(append(values, others...), ", ")
}

// setHost refuses a value that is neither an address nor a name, and that would change the URL or be read as a port.
func setHost(c *check, value string) bool {
	c.host = value
	return !strings.ContainsAny(value, " \t\r\n[]/?#@\\")
}

func setPort(c *check, value string) bool {
	port, ok := plainNumber(value)
	c.port = port
	return ok && port <= math.MaxUint16
}

// setTimeout accepts the API's values: timeoutSeconds is a whole int32, at least 1.
func setTimeout(c *check, value string) bool {
	seconds, ok := plainNumber(strings.TrimSuffix(value, "s"))
	c.timeout = time.Duration(seconds) * time.Second
	return ok && strings.HasSuffix(value, "s") && seconds <= math.MaxInt32
}

// plainNumber reads digits without sign or leading zero, exactly as the rewrite writes them.
func plainNumber(digits string) (int, bool) {
	number, err := strconv.Atoi(digits)
	return number, err == nil && number > 0 && digits == strconv.Itoa(number)
}

// setHeader keeps everything after the one space, so that a value is preserved as in the API, empty or with spaces.
func setHeader(c *check, value string) bool {
	name, content, ok := strings.Cut(value, ": ")
	c.headers = append(c.headers, header{name, content})
	return ok && name != ""
}
