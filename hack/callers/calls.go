//go:build ignore

// A caller for hack/callers/on-node: calls each target so many times, twice a second, then ends; for ever if TIMES is 0.
// Usage: calls TIMES URL...
// Environment: FORWARDED is sent as X-Forwarded-For, AGENT as User-Agent
package main

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	times, _ := strconv.Atoi(os.Args[1])
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for n := 0; times == 0 || n < times; n++ {
		for _, target := range os.Args[2:] {
			request, err := http.NewRequest(http.MethodGet, target, nil)
			if err != nil {
				panic(err)
			}
			for header, variable := range map[string]string{"X-Forwarded-For": "FORWARDED", "User-Agent": "AGENT"} {
				if value := os.Getenv(variable); value != "" {
					request.Header.Set(header, value)
				}
			}
			if answer, err := client.Do(request); err == nil {
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
}
