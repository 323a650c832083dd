package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEveryWrongArgumentIsNamedWithWhatIsAllowed(t *testing.T) {
	for _, test := range []struct {
		args  string // separated by |
		words []string
	}{
		{"", []string{"no subcommand", "http, https, tcp, grpc, install, version"}},
		{"udp|--port=1", []string{`"udp"`, "http, https, tcp, grpc, install, version"}},
		{"HTTP|--port=1", []string{`"HTTP"`}},
		{"--help", []string{`"--help"`}},
		{"http", []string{"--port: missing", "1-65535"}},
		{"http|--port", []string{"--port: no value", "1-65535"}},
		{"http|--port|8080", []string{"--port: no value", "--port=VALUE"}},
		{"http|--port=", []string{`--port: ""`, "1-65535"}},
		{"http|--port=0", []string{`--port: "0"`, "1-65535"}},
		{"http|--port=65536", []string{`--port: "65536"`}},
		{"http|--port=-1", []string{`--port: "-1"`}},
		{"http|--port=+80", []string{`--port: "+80"`}},
		{"http|--port=080", []string{`--port: "080"`}},
		{"http|--port=80 ", []string{`--port: "80 "`}},
		{"http|--port=web", []string{`--port: "web"`}},
		{"http|--port=99999999999999999999", []string{"--port:"}},
		{"http|--port=1|--port=2", []string{"--port: given twice"}},
		{"http|-port=1", []string{"-port=1: unknown argument", "--port="}},
		{"http|port=1", []string{"port=1: unknown argument"}},
		{"http|--port=1|/healthz", []string{"/healthz: unknown argument"}},
		{"http|--port=1|--verbose", []string{"--verbose: unknown argument", "--header=, --host=, --path=, --port=, --timeout=, --h2c, --hook"}},
		{"grpc|--port=1|--verbose", []string{"--host=, --port=, --service=, --timeout=, --tls"}},
		{"http|--port=1|--service=x", []string{"--service: allowed only for grpc"}},
		{"tcp|--port=1|--path=/", []string{"--path: allowed only for http, https"}},
		{"tcp|--port=1|--header=A: b", []string{"--header: allowed only for http, https"}},
		{"grpc|--port=1|--path=/", []string{"--path: allowed only for http, https"}},
		{"grpc|--port=1|--hook", []string{"--hook: allowed only for http, https, tcp"}},
		{"grpc|--port=1|--service=\xff", []string{"--service:", "UTF-8"}},
		{"http|--port=1|--hook=true", []string{"--hook=true: unknown argument"}},
		{"http|--port=1|--hook|--hook", []string{"--hook: given twice"}},
		{"http|--port=1|--h2c|--h2c", []string{"--h2c: given twice"}},
		{"http|--port=1|--h2c=true", []string{"--h2c=true: unknown argument"}},
		{"http|--port=1|--h2c|--hook", []string{"--h2c: not with --hook"}},
		{"http|--port=1|--hook|--h2c", []string{"--h2c: not with --hook"}},
		{"https|--port=1|--h2c", []string{"--h2c: allowed only for http"}},
		{"tcp|--port=1|--h2c", []string{"--h2c: allowed only for http"}},
		{"grpc|--port=1|--h2c", []string{"--h2c: allowed only for http"}},
		{"grpc|--port=1|--tls|--tls", []string{"--tls: given twice"}},
		{"grpc|--port=1|--tls=true", []string{"--tls=true: unknown argument"}},
		{"http|--port=1|--tls", []string{"--tls: allowed only for grpc"}},
		{"https|--port=1|--tls", []string{"--tls: allowed only for grpc"}},
		{"grpc|--port=1|hook", []string{"hook: unknown argument"}},
		{"http|--port=1|--path=/a|--path=/b", []string{"--path: given twice"}},
		{"http|--port=1|--path", []string{"--path: no value"}},
		{"http|--port=1|--timeout=1", []string{`--timeout: "1"`, "whole seconds"}},
		{"http|--port=1|--timeout=0s", []string{`--timeout: "0s"`}},
		{"http|--port=1|--timeout=-1s", []string{`--timeout: "-1s"`}},
		{"http|--port=1|--timeout=1.5s", []string{`--timeout: "1.5s"`}},
		{"http|--port=1|--timeout=1m", []string{`--timeout: "1m"`}},
		{"http|--port=1|--timeout=1ss", []string{`--timeout: "1ss"`}},
		{"http|--port=1|--timeout=s", []string{`--timeout: "s"`}},
		{"http|--port=1|--timeout=2147483648s", []string{"--timeout:"}},
		{"http|--port=1|--header=", []string{"--header:", "NAME: VALUE"}},
		{"http|--port=1|--header=X", []string{`--header: "X"`}},
		{"http|--port=1|--header=X:y", []string{`--header: "X:y"`, "one space"}},
		{"http|--port=1|--header=: y", []string{`--header: ": y"`}},
		{"http|--port=1|--host=a b", []string{"--host:", "an address or a name"}},
		{"http|--port=1|--host=[::1]", []string{"--host:"}},
		{"tcp|--port=1|--host=a b", []string{"--host:"}},
		{"tcp|--port=1|--host=[::1]", []string{"--host:"}},
		{"grpc|--port=1|--host=http://a", []string{"--host:"}},
		{"install", []string{"install: 0 arguments"}},
		{"install|", []string{"install:"}},
		{"install|/a|/b", []string{"install: 2 arguments"}},
	} {
		var args []string
		if test.args != "" {
			args = strings.Split(test.args, "|")
		}
		got := prober("127.0.0.1", args...)
		if got.code != exitArgument || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || !strings.HasSuffix(got.stderr, "\n") {
			t.Errorf("%q: want exit code 2 and one line on stderr, got %+v", test.args, got)
		}
		for _, word := range test.words {
			if !strings.Contains(got.stderr, word) {
				t.Errorf("%q: %q is not in %q", test.args, word, got.stderr)
			}
		}
	}
}

func TestArgumentsSayWhatTheHandlerSays(t *testing.T) {
	for args, want := range map[string]check{
		"http|--port=8080":                       {kind: "http", port: 8080, path: "/"},
		"https|--port=65535|--path=":             {kind: "https", port: 65535},
		"http|--port=1|--path=a=b":               {kind: "http", port: 1, path: "a=b"},
		"http|--port=1|--path=--hook":            {kind: "http", port: 1, path: "--hook"},
		"http|--port=1|--host=::1|--timeout=10s": {kind: "http", port: 1, path: "/", host: "::1", timeout: 10 * time.Second},
		"tcp|--timeout=2147483647s|--port=1":     {kind: "tcp", port: 1, path: "/", timeout: 2147483647 * time.Second},
		"http|--hook|--port=1":                   {kind: "http", port: 1, path: "/", hook: true},
		"http|--h2c|--port=1":                    {kind: "http", port: 1, path: "/", h2c: true},
		"grpc|--port=9000|--tls":                 {kind: "grpc", port: 9000, path: "/", tls: true},
		"grpc|--port=9000|--service=":            {kind: "grpc", port: 9000, path: "/"},
		"grpc|--port=9000|--service=a.B":         {kind: "grpc", port: 9000, path: "/", service: "a.B"},
		"http|--port=1|--header=B: 2|--header=A: 1|--header=B:  3: x |--header=C: ": {kind: "http", port: 1, path: "/",
			headers: []header{{"B", "2"}, {"A", "1"}, {"B", " 3: x "}, {"C", ""}}},
	} {
		list := strings.Split(args, "|")
		got, err := parse(list[0], list[1:])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", args, got, err, want)
		}
	}
}
