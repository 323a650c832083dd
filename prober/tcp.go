package main

// judgeTCP succeeds when the handshake does (pkg/probe/tcp/tcp.go). As a hook it asks the same: kubelet accepts a
// tcpSocket hook and then cannot run it (pkg/kubelet/lifecycle/handlers.go Run, "invalid handler").
func (c check) judgeTCP() verdict {
	dialer := newDialer(c)
	dialer.Timeout = c.timeout
	conn, err := dialer.Dial("tcp", c.address())
	if err != nil {
		return failed("%v", err)
	}
	conn.Close()
	return passed("")
}
