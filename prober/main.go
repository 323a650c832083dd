// Command prober runs one probe or lifecycle hook of a Kubernetes container, and judges it as kubelet 1.37 does, from
// inside the container. It exists because under strict mutual TLS kubelet's own request no longer reaches the
// application, while a request from inside the pod does.
//
// It needs nothing in its image: no shell, no certificates, no writable folder, no user. README.md has the command
// line; every file cites the kubelet source it follows.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	_ "github.com/istio-onramp/istio-onramp/prober/oneprocessor"
)

// version is set by the build (-ldflags "-X main.version=1.2.3").
var version = "dev"

// The exit codes. kubelet's exec probe only distinguishes zero and non-zero (pkg/probe/exec/exec.go); the third value
// lets people distinguish a broken command line from a broken application.
const (
	exitSuccess  = 0
	exitFailure  = 1
	exitArgument = 2
)

func main() {
	settle()
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// settle isolates the process from the application's settings: its GODEBUG would change TLS and HTTP/2, and messages
// that net/http logs would appear in the pod's events, because kubelet shows both output streams.
func settle() {
	os.Unsetenv("GODEBUG")
	log.SetOutput(io.Discard)
}

func run(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	result, err := perform(args, getenv)
	if err != nil {
		fmt.Fprintln(stderr, oneLine("prober: "+err.Error()))
		return exitArgument
	}
	if result.words != "" {
		fmt.Fprintln(stdout, oneLine(result.words))
	}
	if !result.ok {
		return exitFailure
	}
	return exitSuccess
}

// perform runs the command in the first argument. An error is always in the caller's input: an argument or the pod's
// address.
func perform(args []string, getenv func(string) string) (verdict, error) {
	if len(args) == 0 {
		return verdict{}, fmt.Errorf("no subcommand; %s", subcommands)
	}
	switch args[0] {
	case "install":
		return install(args[1:])
	case "version":
		return printVersion(args[1:])
	}
	check, err := parse(args[0], args[1:])
	if err != nil {
		return verdict{}, err
	}
	if check.target, err = resolveTarget(check, getenv); err != nil {
		return verdict{}, err
	}
	return check.judge()
}

func printVersion(args []string) (verdict, error) {
	if len(args) > 0 {
		return verdict{}, fmt.Errorf("%s: version takes no arguments", args[0])
	}
	return passed("prober " + version), nil
}
