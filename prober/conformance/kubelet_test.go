package conformance

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	kubecontainer "k8s.io/kubernetes/pkg/kubelet/container"
	"k8s.io/kubernetes/pkg/kubelet/lifecycle"
	"k8s.io/kubernetes/pkg/probe"
	grpcprobe "k8s.io/kubernetes/pkg/probe/grpc"
	httpprobe "k8s.io/kubernetes/pkg/probe/http"
	tcpprobe "k8s.io/kubernetes/pkg/probe/tcp"

	// kubelet links gzip for gRPC through its tracing exporter, and therefore offers it in health checks.
	_ "google.golang.org/grpc/encoding/gzip"
)

// askKubelet does what pkg/kubelet/prober/prober.go runProbe and runProbeWithRetries do with kubelet's exported
// probers; hooks go through lifecycle.NewHandlerRunner as a whole.
func askKubelet(h handler, port int) outcome {
	if h.hook {
		return runHook(h, port)
	}
	for attempt := 1; ; attempt++ {
		result, words, err := probeOnce(h, port)
		if err == nil || attempt == 3 {
			return outcomeOf(result, words, err)
		}
	}
}

func probeOnce(h handler, port int) (probe.Result, string, error) {
	timeout := time.Duration(h.seconds()) * time.Second
	switch h.kind {
	case "tcp":
		return tcpprobe.New().Probe(h.dialled(), port, timeout)
	case "grpc":
		return grpcprobe.New().Probe(h.dialled(), h.service, port, timeout, grpcprobe.ProbeOptions{UseTLS: h.tls})
	}
	request, err := httpprobe.NewRequestForHTTPGetAction(h.action(port), &v1.Container{}, h.address(), "probe")
	if err != nil {
		return probe.Unknown, "", err
	}
	if h.h2c {
		return httpprobe.New(false).ProbeH2C(request, timeout)
	}
	return httpprobe.New(false).Probe(request, timeout)
}

// outcomeOf: an error next to the result means that kubelet discards the result. Both are failures to the prober, whose
// exit code cannot distinguish them; see the README.
func outcomeOf(result probe.Result, words string, err error) outcome {
	switch {
	case err != nil:
		return outcome{verdict: fail, words: err.Error(), discarded: true}
	case result == probe.Success:
		return outcome{verdict: pass}
	case result == probe.Warning:
		return outcome{verdict: warn, words: words}
	}
	return outcome{verdict: fail, words: words}
}

func (h handler) action(port int) *v1.HTTPGetAction {
	action := &v1.HTTPGetAction{Scheme: v1.URISchemeHTTP, Host: h.host, Path: h.pathOrRoot(), Port: intstr.FromInt32(int32(port))}
	if h.kind == "https" {
		action.Scheme = v1.URISchemeHTTPS
	}
	for _, field := range h.headers {
		action.HTTPHeaders = append(action.HTTPHeaders, v1.HTTPHeader{Name: field[0], Value: field[1]})
	}
	return action
}

// runHook uses the client of pkg/kubelet/kubelet.go NewMainKubelet (insecureContainerLifecycleHTTPClient).
func runHook(h handler, port int) outcome {
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: httpprobe.RedirectChecker(false),
	}
	defer client.CloseIdleConnections()
	runner := lifecycle.NewHandlerRunner(client, nil, podStatus{h.address()}, nil)
	hook := &v1.LifecycleHandler{HTTPGet: h.action(port)}
	if h.kind == "tcp" {
		hook = &v1.LifecycleHandler{TCPSocket: &v1.TCPSocketAction{Port: intstr.FromInt32(int32(port))}}
	}
	_, err := runner.Run(context.Background(), kubecontainer.ContainerID{}, &v1.Pod{}, &v1.Container{}, hook)
	if err != nil {
		return outcome{verdict: fail, words: err.Error()}
	}
	return outcome{verdict: pass}
}

// podStatus gives the hook runner the pod's address.
type podStatus struct{ ip string }

func (p podStatus) GetPod(context.Context, types.UID) (*kubecontainer.Pod, error) {
	return &kubecontainer.Pod{}, nil
}

func (p podStatus) GetPodStatus(context.Context, *kubecontainer.Pod) (*kubecontainer.PodStatus, error) {
	return &kubecontainer.PodStatus{IPs: []string{p.ip}}, nil
}
