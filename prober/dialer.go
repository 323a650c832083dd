package main

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// proxyUID is the user by which Istio's redirection recognises its own proxy (tools/istio-iptables/pkg/capture/run.go).
const proxyUID = 1337

// hangUpPatience bounds how long the end of the process waits for an orderly close of its connections. On a pod's own
// address that takes microseconds.
const hangUpPatience = 20 * time.Millisecond

// lastWord is how long after the deadline a connection is closed by force. net/http enforces the deadline itself, with
// a better message, except in the body of a 101 response, where kubelet waits for ever.
const lastWord = 100 * time.Millisecond

// dialer opens the connections of a probe or hook and knows when they are closed.
type dialer struct {
	net.Dialer
	open  sync.WaitGroup
	limit time.Time
}

// newDialer dials like kubelet's ProbeDialer (pkg/probe/dialer_others.go). A linger of one second saves the node a
// minute of TIME-WAIT for each probe and, unlike zero, still ends with FIN. Hooks do not set it.
func newDialer(c check) *dialer {
	disguise := c.host == "" && os.Geteuid() == proxyUID
	control := func(network, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			if !c.hook {
				syscall.SetsockoptLinger(int(fd), syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1, Linger: 1})
			}
			if disguise {
				bindPastRedirection(int(fd), network)
			}
		})
	}
	result := &dialer{Dialer: net.Dialer{Control: control}}
	if c.timeout > 0 {
		result.limit = time.Now().Add(c.timeout + lastWord)
	}
	return result
}

// bindPastRedirection binds the one source address whose connections to the pod's own address Istio does not redirect,
// even for the proxy's user: 127.0.0.6, and ::6 in dual-stack installations (istio-iptables run.go; the agent uses it
// for the same purpose). Where ::6 does not exist, IPv6 is not redirected, so a failed bind can be ignored.
func bindPastRedirection(fd int, network string) {
	if network == "tcp6" {
		syscall.Bind(fd, &syscall.SockaddrInet6{Addr: [16]byte{15: 6}})
		return
	}
	syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 6}})
}

// DialContext is called by net/http.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(d.limit)
	d.open.Add(1)
	return &countedConn{Conn: conn, closed: d.open.Done}, nil
}

// hangUp waits until net/http has closed its connections, which it does in the background. A process that ends earlier
// leaves TLS servers with a truncated connection, which some of them log for every single probe.
func (d *dialer) hangUp() {
	done := make(chan struct{})
	go func() { d.open.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(hangUpPatience):
	}
}

type countedConn struct {
	net.Conn
	once   sync.Once
	closed func()
}

func (c *countedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.closed)
	return err
}
