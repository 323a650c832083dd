module github.com/istio-onramp/istio-onramp/prober

go 1.26.0

// What kubelet 1.37 is built with (its own go.mod): TLS key exchanges and URL rules hang on it.
godebug default=go1.26
