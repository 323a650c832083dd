package conformance

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// leastRows is the minimum number of rows, so that none is lost unnoticed.
const leastRows = 150

var proberPath string

// TestMain builds the program as shipped, because the tests compare the binary, not its functions.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "prober-conformance-")
	if err != nil {
		panic(err)
	}
	proberPath = filepath.Join(folder, "prober")
	build := exec.Command("./compile", proberPath, "9.9.9")
	build.Dir = ".."
	if output, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, output))
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

func TestTheProberJudgesAsKubeletDoes(t *testing.T) {
	rows := slices.Concat(statusRows(), answerRows(), requestRows(), redirectRows(), timeRows(), tlsRows(), http2Rows(), clearHTTP2Rows(),
		tcpRows(), grpcRows(), hookRows())
	var ran atomic.Int32
	names := map[string]bool{}
	t.Run("rows", func(t *testing.T) {
		for _, r := range rows {
			if names[r.name] {
				t.Errorf("two rows are called %q", r.name)
			}
			names[r.name] = true
			t.Run(r.name, func(t *testing.T) {
				t.Parallel()
				r.run(t)
				ran.Add(1)
			})
		}
	})
	t.Logf("%d server behaviours, each asked by kubelet's code and by the prober", ran.Load())
	if ran.Load() < leastRows && !filtered() {
		t.Errorf("%d rows ran, at least %d have to", ran.Load(), leastRows)
	}
}

// filtered tells whether single rows are selected (go test -run .../rows/...).
func filtered() bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), "/")
}
