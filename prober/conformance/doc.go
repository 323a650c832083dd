// Package conformance compares the prober with kubelet's own code: the same server, called once by kubelet 1.37's
// packages and once by the built prober, must get the same request and lead to the same verdict. It is a separate
// module because kubelet has five hundred dependencies and the prober none.
package conformance
