package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// Istio keeps whether sidecars are native in a variable of the process (pilot/pkg/features/pilot.go), so the work is
// divided among processes, not goroutines: each takes every n-th block of cases and ends it with an empty line.

// worker is one such process and the blocks that it has finished.
type worker struct {
	command *exec.Cmd
	blocks  chan []byte
	failed  error // read only after blocks is closed
}

// runJobs lets the workers generate the cases and writes their blocks in order.
func runJobs(o options, out *bufio.Writer) error {
	var workers []*worker
	for job := range o.jobs {
		w, err := startWorker(o, job)
		if err != nil {
			return err
		}
		defer w.stop()
		workers = append(workers, w)
	}
	for block := o.from / casesPerInstallation; block*casesPerInstallation < o.from+o.count; block++ {
		w := workers[block%o.jobs]
		data, ok := <-w.blocks
		if !ok {
			return fmt.Errorf("a worker ended early: %w", w.failed)
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func startWorker(o options, job uint64) (*worker, error) {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{blocks: make(chan []byte, 4), command: exec.Command(program, "--seed", number(o.seed), "--from", number(o.from),
		"--count", number(o.count), "--jobs", number(o.jobs), "--job", number(job), "--share="+strconv.FormatBool(o.share),
		"--breaking="+strconv.FormatBool(o.breaking), "--pods", o.pods)}
	w.command.Stderr = os.Stderr
	output, err := w.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.command.Start(); err != nil {
		return nil, err
	}
	go w.collect(output)
	return w, nil
}

// collect reads blocks until the process ends.
func (w *worker) collect(output io.Reader) {
	defer close(w.blocks)
	reader, block := bufio.NewReaderSize(output, 1<<20), bytes.Buffer{}
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
		if len(line) == 1 && (block.Len() == 0 || block.Bytes()[block.Len()-1] == '\n') {
			w.blocks <- bytes.Clone(block.Bytes())
			block.Reset()
			continue
		}
		block.Write(line)
	}
	if w.failed = w.command.Wait(); w.failed == nil {
		w.failed = io.ErrUnexpectedEOF
	}
}

// stop ends a worker that still runs because another failed.
func (w *worker) stop() {
	for w.command.ProcessState == nil {
		w.command.Process.Kill()
		for range w.blocks {
		}
	}
}
