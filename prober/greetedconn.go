package main

import (
	"context"
	"net"
	"sync"
)

// greetedConn delays the call until the server has sent its SETTINGS, as the grpc library does (WithBlock waits until a
// connection is ready). It also distinguishes a server that was never there from one that went away, and a port with
// another protocol never sees the call.
type greetedConn struct {
	net.Conn
	limit      context.Context
	greeted    chan struct{}
	closed     chan struct{}
	closing    sync.Once
	onGreeting func()
	opened     bool   // our own preface is out
	first      []byte // what has come of the first frame's header
}

func newGreetedConn(limit context.Context, conn net.Conn, onGreeting func()) *greetedConn {
	return &greetedConn{Conn: conn, limit: limit, onGreeting: onGreeting, greeted: make(chan struct{}), closed: make(chan struct{})}
}

// The header of a frame has nine bytes, the fourth is its type (RFC 9113, 4.1); the first frame has to be SETTINGS
// (3.4).
const (
	frameHeader   = 9
	frameType     = 3
	frameSettings = 4
)

func (c *greetedConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	missing := frameHeader - len(c.first)
	if missing <= 0 {
		return n, err
	}
	c.first = append(c.first, buffer[:min(n, missing)]...)
	if len(c.first) == frameHeader && c.first[frameType] == frameSettings {
		c.onGreeting()
		close(c.greeted)
	}
	return n, err
}

// Write lets the first piece through, which is preface, SETTINGS and window (net/http sends them as one), and holds
// the next until the greeting. net/http writes under a lock, so no other field needs one.
func (c *greetedConn) Write(piece []byte) (int, error) {
	if !c.opened {
		c.opened = true
		return c.Conn.Write(piece)
	}
	select {
	case <-c.greeted:
		return c.Conn.Write(piece)
	case <-c.closed:
		return 0, net.ErrClosed
	case <-c.limit.Done():
		return 0, c.limit.Err()
	}
}

// Close lets a call go that waits for a greeting which will not come.
func (c *greetedConn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
