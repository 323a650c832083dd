//go:build ignore

// What the workloads of hack/check/on-node run besides hack/prober/probed.go: a client that calls one address for ever, and
// an admission webhook that allows everything and answers as an aggregated API, and a server that speaks first.
// Usage: application call=URL | call=HOST:PORT | greeted=HOST:PORT | webhook=PORT | greet=PORT
//
//	call      twice a second, each time on a new connection; prints `ok` or `failed` with the reason for each
//	greeted   likewise, and waits for the server to speak
//	webhook   with the certificate and key in PEM of CERTIFICATE and KEY
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	log.SetOutput(os.Stdout)
	log.SetFlags(0)
	for _, argument := range os.Args[1:] {
		kind, value, _ := strings.Cut(argument, "=")
		switch kind {
		case "call":
			go callForEver(value, call)
		case "greeted":
			go callForEver(value, waitForGreeting)
		case "greet":
			go serveGreetings(value)
		case "webhook":
			go serveWebhook(value)
		default:
			log.Fatalf("%s: unknown argument", argument)
		}
	}
	select {}
}

func callForEver(target string, call func(string) error) {
	for {
		if err := call(target); err != nil {
			log.Printf("failed %s: %v", target, err)
		} else {
			log.Printf("ok %s", target)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func waitForGreeting(target string) error {
	conn, err := net.DialTimeout("tcp", target, 3*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	return err
}

func serveGreetings(port string) {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(conn, "220 ready\r\n")
		conn.Close()
	}
}

func call(target string) error {
	if strings.Contains(target, "://") {
		return get(target)
	}
	conn, err := net.DialTimeout("tcp", target, 3*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(3 * time.Second))
	// Either side of a mesh proxy takes the connection: only an answer shows that the application did.
	fmt.Fprintf(conn, "GET / HTTP/1.0\r\n\r\n")
	_, err = conn.Read(make([]byte, 1))
	return err
}

func get(url string) error {
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return nil
}

func serveWebhook(port string) {
	pair, err := tls.X509KeyPair([]byte(os.Getenv("CERTIFICATE")), []byte(os.Getenv("KEY")))
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{
		Addr:      ":" + port,
		Handler:   http.HandlerFunc(allow),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
	}
	log.Fatal(server.ListenAndServeTLS("", ""))
}

// An aggregated API is asked with GET whether it is available.
func allow(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"lab.example.com/v1","resources":[]}`)
		return
	}
	var review struct {
		Request struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": "admission.k8s.io/v1",
		"kind":       "AdmissionReview",
		"response":   map[string]any{"uid": review.Request.UID, "allowed": true},
	})
}
