package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// judgeGRPC judges a grpc probe as kubelet does with the grpc library (pkg/probe/grpc/grpc.go): one Health/Check, for
// which only SERVING is success. A failed connection is retried until the deadline (grpc.WithBlock). Once the server
// speaks HTTP/2, the first answer counts.
func (c check) judgeGRPC() verdict {
	ctx, cancel := c.deadline()
	defer cancel()
	caller := newCaller(ctx, c)
	defer caller.hangUp()
	for attempt := 0; ; attempt++ {
		serving, err := caller.check()
		if caller.connected.Load() {
			return c.judgeAnswer(serving, err)
		}
		if !pause(ctx, backoff(attempt)) {
			return failed("timeout: failed to connect service %q within %v: %v", c.address(), c.timeout, err)
		}
	}
}

func (c check) deadline() (context.Context, context.CancelFunc) {
	if c.timeout == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), c.timeout)
}

// judgeAnswer uses kubelet's messages.
func (c check) judgeAnswer(serving servingStatus, err error) verdict {
	failure := statusOf(err)
	switch {
	case err == nil && serving == statusServing:
		return passed("")
	case err == nil:
		return failed("service unhealthy (responded with %q)", serving)
	case failure.code == codeUnimplemented:
		return failed("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): %s", failure.message)
	case failure.code == codeDeadlineExceeded:
		return failed("timeout: health rpc did not complete within %v", c.timeout)
	}
	return failed("error: health rpc probe failed: %v", failure)
}

// backoff is the grpc library's schedule (its backoff.DefaultConfig): one second, then 1.6 times as long each time,
// plus or minus a fifth.
func backoff(attempt int) time.Duration {
	if attempt == 0 {
		return time.Second
	}
	delay := float64(time.Second)
	for range attempt {
		delay = min(delay*1.6, float64(120*time.Second))
	}
	return time.Duration(delay * (0.8 + 0.4*rand.Float64()))
}

// pause returns whether another attempt follows. A pause that would outlast the deadline is skipped, because nothing
// more can happen in it and the reason is still known.
func pause(ctx context.Context, delay time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= delay {
		return false
	}
	time.Sleep(delay)
	return true
}
