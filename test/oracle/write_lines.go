package main

import (
	"bufio"
	"encoding/json"
)

// lineWriter writes cases as JSON lines, either each with all its objects or, with --share, with the ConfigMaps of the
// control planes factored out: {"install": "id", "objects": [...]} precedes the first case that refers to the id.
type lineWriter struct {
	out   *bufio.Writer
	share bool
	seen  map[string]bool
}

func (w *lineWriter) write(c *Case) error {
	if w.share {
		for _, plane := range c.planes {
			c.Installs = append(c.Installs, plane.id)
			w.define(plane)
		}
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	w.out.WriteString(`{"cluster":[`)
	first := true
	if !w.share {
		for _, plane := range c.planes {
			first = w.list(plane.configMaps, first)
		}
	}
	w.list(c.cluster, first)
	w.out.WriteString("],")
	w.out.Write(line[1:])
	return w.out.WriteByte('\n')
}

// define writes the line of a control plane once.
func (w *lineWriter) define(plane *controlPlane) {
	if w.seen[plane.id] {
		return
	}
	w.seen[plane.id] = true
	w.out.WriteString(`{"install":"` + plane.id + `","objects":[`)
	w.list(plane.configMaps, true)
	w.out.WriteString("]}\n")
}

// list writes objects that are already JSON: encoding these long objects again would cost more than Istio's own code.
func (w *lineWriter) list(objects []json.RawMessage, first bool) bool {
	for _, o := range objects {
		if !first {
			w.out.WriteByte(',')
		}
		w.out.Write(o)
		first = false
	}
	return first
}
