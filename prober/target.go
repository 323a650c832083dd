package main

import (
	"fmt"
	"net"
	"strconv"
)

// podIPVariable is the only environment variable that is read. It comes from the downward API (status.podIP): kubelet
// expands $(NAME) in exec commands only from plain values, so the address cannot be an argument.
const podIPVariable = "ISTIO_ONRAMP_POD_IP"

// resolveTarget returns the host to dial: the handler's host, otherwise the pod's own address, as kubelet does
// (pkg/kubelet/prober/prober.go runProbe). It is not 127.0.0.1: an application that listens only there is down for all
// other clients, and kubelet would report that.
func resolveTarget(c check, getenv func(string) string) (string, error) {
	if c.host != "" {
		return c.host, nil
	}
	podIP := getenv(podIPVariable)
	if net.ParseIP(podIP) == nil {
		return "", fmt.Errorf("%s: %q; allowed: the pod's IP address (downward API status.podIP), or --host=HOST", podIPVariable, podIP)
	}
	return podIP, nil
}

// address is the address to connect to, with brackets around IPv6.
func (c check) address() string {
	return net.JoinHostPort(c.target, strconv.Itoa(c.port))
}

// judge runs the check.
func (c check) judge() (verdict, error) {
	switch {
	case c.kind == "tcp":
		return c.judgeTCP(), nil
	case c.kind == "grpc":
		return c.judgeGRPC(), nil
	case c.hook:
		return c.judgeHook()
	}
	return c.judgeHTTP()
}
