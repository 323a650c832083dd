package main

// judgeTCP succeeds if the handshake does (pkg/probe/tcp/tcp.go). A hook does the same: kubelet accepts a tcpSocket
// hook but cannot run it (pkg/kubelet/lifecycle/handlers.go Run, "invalid handler").
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
