package main

import (
	"net"

	"istio.io/istio/pkg/log"
	"istio.io/istio/tools/common/config"
)

// podAddress and nodeAddress are the two ends of the connection whose capture is asked for.
const (
	podAddress  = "10.244.1.7"
	nodeAddress = "10.244.1.1"
)

// quietLog is a logging configuration that says nothing (pkg/log/options.go).
func quietLog() *log.Options {
	o := log.DefaultOptions()
	o.OutputPaths = []string{"stderr"}
	o.SetDefaultOutputLevel(log.OverrideScopeName, log.NoneLevel)
	return o
}

// silenceIstio keeps Istio's logs out of the output and gives istio-iptables the pod's address instead of this
// machine's (tools/common/config/config.go, LocalIPAddrs).
func silenceIstio() {
	if err := log.Configure(quietLog()); err != nil {
		panic(err)
	}
	config.LocalIPAddrs = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP(podAddress), Mask: net.CIDRMask(24, 32)}}, nil
	}
}
