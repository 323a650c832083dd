package main

import (
	"context"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// proxyUID is the user Istio's redirection tells its own proxy by (tools/istio-iptables/pkg/capture/run.go).
const proxyUID = 1337

// hangUpPatience bounds how long the end of the process waits for its connections to be closed in good order. On a
// pod's own address that is microseconds.
const hangUpPatience = 20 * time.Millisecond

// lastWord is how long after the deadline a connection ends by force. net/http keeps the deadline by itself, and says
// more about it, but not in the body of a 101 answer, where kubelet waits for ever.
const lastWord = 100 * time.Millisecond

// dialer opens the check's connections and knows when they are closed.
type dialer struct {
	net.Dialer
	open  sync.WaitGroup
	limit time.Time
}

// newDialer dials as kubelet's ProbeDialer (pkg/probe/dialer_others.go): a linger of one second spares the node a
// minute of TIME-WAIT for each probe and, unlike zero, still ends with FIN. Hooks have no such thing there.
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

// bindPastRedirection takes the one source address whose connections to the pod's own address Istio leaves alone,
// also for the proxy's user: 127.0.0.6, and ::6 in dual-stack installs (istio-iptables run.go, the agent uses it
// for the same purpose). Where ::6 does not exist IPv6 is not redirected, so a failed bind needs no other answer
// than to go on without.
func bindPastRedirection(fd int, network string) {
	if network == "tcp6" {
		syscall.Bind(fd, &syscall.SockaddrInet6{Addr: [16]byte{15: 6}})
		return
	}
	syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 6}})
}

// DialContext is what net/http calls.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(d.limit)
	d.open.Add(1)
	return &countedConn{Conn: conn, closed: d.open.Done}, nil
}

// hangUp waits until net/http has closed what it opened. It does so in the background, and a process that ends
// before leaves TLS servers with a connection cut short, which some of them log for every single probe.
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
