// Command oracle writes random clusters and pods together with Istio's own answers: which webhooks are called, whether
// the pod is injected, how its probes are rewritten, which ports are redirected to Envoy, and the mutual TLS mode of
// each. Every answer comes from Istio's packages; see README.md.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// options are the command line of the oracle.
type options struct {
	seed, from, count uint64
	jobs, job         uint64
	share, stats      bool
	breaking          bool
	pods              string
}

// alone is the job of a process that generates all cases itself, or distributes them.
const alone = ^uint64(0)

func parseOptions() options {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the random cases; a case depends on the seed and its index alone")
	flag.Uint64Var(&o.count, "count", 1000, "number of cases")
	flag.Uint64Var(&o.from, "from", 0, "index of the first case")
	flag.Uint64Var(&o.jobs, "jobs", uint64(runtime.NumCPU()), "number of processes")
	flag.Uint64Var(&o.job, "job", alone, "for the oracle's own use: which of the processes this is")
	flag.BoolVar(&o.share, "share", false, "write the ConfigMaps of a control plane once, as a line of their own, and refer to them")
	flag.BoolVar(&o.stats, "stats", false, "write the distribution of the answers to standard error (one process)")
	flag.BoolVar(&o.breaking, "breaking", false, "draw mostly pods whose probes STRICT breaks and that Istio's rewriting could serve")
	flag.StringVar(&o.pods, "pods", "", "judge these pods in the clusters of their cases: JSON lines with index, pod and ports")
	flag.Parse()
	if o.jobs == 0 || o.stats {
		o.jobs = 1
	}
	return o
}

func main() {
	o := parseOptions()
	work := run
	if o.job == alone && o.jobs > 1 {
		work = runJobs
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := work(o, out)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

// run writes one line per case. Any failure of the oracle itself ends the run, so that no case is ever skipped.
func run(o options, out *bufio.Writer) error {
	silenceLogs()
	debug.SetGCPercent(800)
	cases, stats := newCases(o.seed, o.breaking), stats{}
	replacements, err := readReplacements(o.pods)
	if err != nil {
		return err
	}
	cases.replacements = replacements
	defer cases.close()
	lines := lineWriter{out: out, share: o.share, seen: map[string]bool{}}
	for i := o.from; i < o.from+o.count; i++ {
		if o.job != alone && i/casesPerInstallation%o.jobs != o.job {
			continue
		}
		if _, asked := replacements[i]; o.pods == "" || asked {
			c, err := cases.at(i)
			if err == nil {
				err = lines.write(c)
			}
			if err != nil {
				return fmt.Errorf("seed %d index %d: %w", o.seed, i, err)
			}
			stats.add(c)
		}
		if last := (i+1)%casesPerInstallation == 0 || i+1 == o.from+o.count; last && o.job != alone {
			out.WriteByte('\n')
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	if o.stats {
		stats.print(os.Stderr)
	}
	return nil
}
