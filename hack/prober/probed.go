//go:build ignore

// An application for hack/prober/on-node: it answers on the ports it is given in every way that kubelet can ask, prints
// one line for every request, and changes its health on request (GET /say/CODE/of/PATH).
// Usage: probed [http=PORT] [https=PORT] [h2c=PORT] [grpc=PORT] [grpcs=PORT] [tcp=PORT]
//
//	h2c     HTTP/2 in clear and nothing else
//	grpcs   gRPC over TLS
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

func main() {
	log.SetOutput(os.Stdout)
	log.SetFlags(0)
	for _, argument := range os.Args[1:] {
		kind, port, _ := strings.Cut(argument, "=")
		listener, err := net.Listen("tcp", ":"+port)
		if err != nil {
			log.Fatal(err)
		}
		switch kind {
		case "http":
			serve(listener, http.HandlerFunc(answer)).Start()
		case "https":
			serve(listener, http.HandlerFunc(answer)).StartTLS()
		case "h2c":
			startInClearHTTP2(serve(listener, http.HandlerFunc(answer)))
		case "grpc":
			startInClearHTTP2(serve(listener, http.HandlerFunc(check)))
		case "grpcs":
			server := serve(listener, http.HandlerFunc(check))
			server.EnableHTTP2 = true
			server.StartTLS()
		case "tcp":
			go accept(listener)
		default:
			log.Fatalf("%s: unknown argument", argument)
		}
	}
	// As process 1 it would not end by a signal of itself.
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
}

func serve(listener net.Listener, handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Listener.Close()
	server.Listener = listener
	return server
}

func startInClearHTTP2(server *httptest.Server) {
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
}

// health is the status that a path answers with; 200 unless said.
var health sync.Map

func answer(w http.ResponseWriter, r *http.Request) {
	log.Printf("%s %s %s", protocol(r), r.URL.Path, r.UserAgent())
	if words, ok := strings.CutPrefix(r.URL.Path, "/say/"); ok {
		code, path, _ := strings.Cut(words, "/of")
		status, err := strconv.Atoi(code)
		if err != nil {
			http.Error(w, "/say/CODE/of/PATH", http.StatusBadRequest)
			return
		}
		health.Store(path, status)
		return
	}
	if status, ok := health.Load(r.URL.Path); ok {
		w.WriteHeader(status.(int))
	}
	fmt.Fprintln(w, r.URL.Path)
}

func protocol(r *http.Request) string {
	switch {
	case r.TLS != nil:
		return "https"
	case r.ProtoMajor == 2:
		return "h2c"
	}
	return "http"
}

// check is grpc.health.v1.Health/Check, always SERVING.
func check(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	log.Printf("%s %s %q %s", grpcProtocol(r), r.URL.Path, body[min(len(body), 7):], r.UserAgent())
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	io.WriteString(w, "\x00\x00\x00\x00\x02\x08\x01")
	w.Header().Set("Grpc-Status", "0")
}

func grpcProtocol(r *http.Request) string {
	if r.TLS != nil {
		return "grpcs"
	}
	return "grpc"
}

func accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		log.Printf("tcp connection")
		conn.Close()
	}
}
