package conformance

import (
	"crypto/tls"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// verdict is the result of a probe.
type verdict string

const (
	pass verdict = "pass"
	warn verdict = "warn" // success with a message
	fail verdict = "fail"
)

type outcome struct {
	verdict   verdict
	words     string
	discarded bool // kubelet alone: the result is ignored
}

// handler is a probe or hook as the Kubernetes API holds it.
type handler struct {
	kind    string // http unless set
	hook    bool
	host    string
	podIP   string // 127.0.0.1 unless set
	path    string // "/" unless set
	headers [][2]string
	service string
	timeout int  // seconds; 3 unless set
	h2c     bool // httpGet.protocol: HTTP2
	tls     bool // grpc.mode: TLS
}

// row is one server behaviour. want guards the row itself: two clients that agree because the server never started
// prove nothing.
type row struct {
	name     string
	handler  handler
	serve    behaviour
	tls      *tls.Config
	other    behaviour // a second port, {other} in what the first one says
	otherTLS *tls.Config
	port     func(*testing.T) int // instead of serve: a port without a server
	want     verdict

	wordsVary      string // why the messages may differ
	requestsVary   string // why the server may see different requests
	verdictsDiffer string // why kubelet's verdict differs
}

// but returns the row with a change.
func (r row) but(change func(*row)) row {
	change(&r)
	return r
}

func (h handler) address() string {
	if h.podIP == "" {
		return "127.0.0.1"
	}
	return h.podIP
}

func (h handler) dialled() string {
	if h.host != "" {
		return h.host
	}
	return h.address()
}

func (h handler) pathOrRoot() string {
	if h.path == "" {
		return "/"
	}
	return h.path
}

func (h handler) seconds() int {
	if h.timeout == 0 {
		return 3
	}
	return h.timeout
}

// arguments is the command line that a rewrite would put into the pod.
func (h handler) arguments(port int) []string {
	args := []string{h.kind, fmt.Sprintf("--port=%d", port)}
	if h.host != "" {
		args = append(args, "--host="+h.host)
	}
	if h.path != "" {
		args = append(args, "--path="+h.path)
	}
	for _, field := range h.headers {
		args = append(args, "--header="+field[0]+": "+field[1])
	}
	if h.kind == "grpc" {
		args = append(args, "--service="+h.service)
	}
	if h.h2c {
		args = append(args, "--h2c")
	}
	if h.tls {
		args = append(args, "--tls")
	}
	if h.hook {
		return append(args, "--hook")
	}
	return append(args, fmt.Sprintf("--timeout=%ds", h.seconds()))
}

// askProber runs the real program.
func askProber(t *testing.T, h handler, port int) outcome {
	command := exec.Command(proberPath, h.arguments(port)...)
	command.Env = []string{"ISTIO_ONRAMP_POD_IP=" + h.address()}
	var stdout, stderr strings.Builder
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	words := strings.TrimSuffix(stdout.String(), "\n")
	if strings.Contains(words, "\n") || len(stdout.String()) > 1024 || stderr.Len() > 0 {
		t.Errorf("not one line of at most 1 KiB on stdout: %q, %q", stdout.String(), stderr.String())
	}
	switch code := command.ProcessState.ExitCode(); {
	case err == nil && words == "":
		return outcome{verdict: pass}
	case err == nil:
		return outcome{verdict: warn, words: words}
	case code == 1 && words != "":
		return outcome{verdict: fail, words: words}
	default:
		t.Fatalf("exit code %d, %q, %q", code, stdout.String(), stderr.String())
		return outcome{}
	}
}

// run sends both clients to the one server.
func (r row) run(t *testing.T) {
	if r.handler.kind == "" {
		r.handler.kind = "http"
	}
	stage := newStage(t, r)
	kubelet := askKubelet(r.handler, stage.port)
	kubeletSent := stage.finish()
	prober := askProber(t, r.handler, stage.port)
	proberSent := stage.finish()

	if prober.verdict != r.want {
		t.Errorf("the prober says %s (%s), want %s", prober.verdict, prober.words, r.want)
	}
	if same := kubelet.verdict == prober.verdict; same != (r.verdictsDiffer == "") {
		t.Errorf("kubelet says %s (%s), the prober %s (%s)", kubelet.verdict, kubelet.words, prober.verdict, prober.words)
	}
	if r.requestsVary == "" && !slices.Equal(kubeletSent, proberSent) {
		t.Errorf("kubelet sent\n%s\nthe prober sent\n%s", quoted(kubeletSent), quoted(proberSent))
	}
	if r.wordsVary == "" && !kubelet.discarded && r.verdictsDiffer == "" && inOneLine(kubelet.words) != inOneLine(prober.words) {
		t.Errorf("kubelet's words:\n%s\nthe prober's:\n%s", kubelet.words, prober.words)
	}
}

func quoted(connections []string) string {
	var lines []string
	for _, connection := range connections {
		lines = append(lines, fmt.Sprintf("  %q", connection))
	}
	return strings.Join(lines, "\n")
}

var (
	sourcePort   = regexp.MustCompile(`(127\.0\.0\.1|\[::1\]):\d+->`)
	lineBreaks   = regexp.MustCompile(`[\r\n\t]`)
	timedOut     = regexp.MustCompile(`(net/http: request canceled( while waiting for connection)?|context deadline exceeded)( \(Client\.Timeout exceeded while awaiting headers\))?`)
	agentVersion = regexp.MustCompile(`kube-(probe|lifecycle)/[^\s]*( grpc-go/\S+)?`)
)

// inOneLine reduces messages to what both sides can share: no source port, no line breaks, no end. Which of its timers
// net/http names at a deadline is a race, in kubelet as well.
func inOneLine(words string) string {
	words = timedOut.ReplaceAllString(words, "context deadline exceeded")
	words = strings.TrimSpace(lineBreaks.ReplaceAllString(sourcePort.ReplaceAllString(words, "$1:N->"), " "))
	if len(words) > 1000 {
		words = words[:1000]
	}
	return words
}
