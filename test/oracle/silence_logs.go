package main

import (
	"net"

	"istio.io/istio/pkg/log"
	"istio.io/istio/tools/common/config"
)

// podAddress and nodeAddress are the two ends of the connection whose capture is evaluated.
const (
	podAddress  = "10.244.1.7"
	nodeAddress = "10.244.1.1"
)

// silentLog is a logging configuration that prints nothing (pkg/log/options.go).
func silentLog() *log.Options {
	o := log.DefaultOptions()
	o.OutputPaths = []string{"stderr"}
	o.SetDefaultOutputLevel(log.OverrideScopeName, log.NoneLevel)
	return o
}

// silenceLogs keeps Istio's logs out of the output and gives istio-iptables the pod's address instead of this
// machine's (tools/common/config/config.go, LocalIPAddrs).
func silenceLogs() {
	if err := log.Configure(silentLog()); err != nil {
		panic(err)
	}
	config.LocalIPAddrs = func() ([]net.Addr, error) {
		return []net.Addr{&net.IPNet{IP: net.ParseIP(podAddress), Mask: net.CIDRMask(24, 32)}}, nil
	}
}
