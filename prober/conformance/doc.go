// Package conformance holds the prober against kubelet's own code: the same server, asked once by kubelet 1.37's
// packages and once by the built prober, has to get the same request and earn the same verdict. It is a module of its
// own because kubelet brings half a thousand packages along, and the prober none.
package conformance
