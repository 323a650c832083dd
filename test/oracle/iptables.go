package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// chains are the rules of one run of istio-iptables, by "table chain".
type chains map[string][][]string

// packet is the first packet of a TCP connection that the node opens to the pod.
type packet struct {
	port     int
	from, to netip.Addr
	in       string
	mark     uint64
}

func newConnection(port int) *packet {
	return &packet{port: port, from: netip.MustParseAddr(nodeAddress), to: netip.MustParseAddr(podAddress), in: "eth0"}
}

// readRules reads the input of iptables-restore that Istio wrote (tools/istio-iptables/pkg/builder, buildRestore).
func readRules(text string) (chains, error) {
	rules, table := chains{}, ""
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "COMMIT" || words[0] == "-N" || strings.HasPrefix(words[0], "ip"):
		case words[0] == "*":
			table = words[1]
		case words[0] == "-A":
			key := table + " " + words[1]
			rules[key] = append(rules[key], words[2:])
		case words[0] == "-I":
			key := table + " " + words[1]
			place, err := strconv.Atoi(words[2])
			if err != nil || place-1 > len(rules[key]) {
				return nil, fmt.Errorf("rule %q has no place", line)
			}
			rules[key] = slices.Insert(rules[key], place-1, words[3:])
		default:
			return nil, fmt.Errorf("unknown line %q of iptables-restore", line)
		}
	}
	return rules, nil
}

// redirectedTo returns the port to which the rules redirect an incoming packet, or 0 if it keeps its destination. The
// kernel evaluates table mangle before nat.
func (c chains) redirectedTo(p *packet) (int, error) {
	for _, table := range []string{"mangle", "nat"} {
		port, _, err := c.walk(table, "PREROUTING", p)
		if err != nil || port != 0 {
			return port, err
		}
	}
	return 0, nil
}

// walk follows a chain; done means that the table has decided.
func (c chains) walk(table, chain string, p *packet) (port int, done bool, err error) {
	for _, words := range c[table+" "+chain] {
		match, target, err := parseRule(words, p)
		if err != nil {
			return 0, false, err
		}
		if !match {
			continue
		}
		switch target[0] {
		case "RETURN":
			return 0, false, nil
		case "ACCEPT", "DROP":
			return 0, true, nil
		case "REDIRECT", "TPROXY":
			port, err := portOf(target)
			return port, true, err
		case "MARK":
			if p.mark, err = strconv.ParseUint(target[2], 0, 32); err != nil {
				return 0, false, err
			}
		case "CONNMARK", "CT":
		default:
			if port, done, err := c.walk(table, target[0], p); done || err != nil {
				return port, done, err
			}
		}
	}
	return 0, false, nil
}

func portOf(target []string) (int, error) {
	for i := 1; i+1 < len(target); i++ {
		if target[i] == "--to-ports" || target[i] == "--on-port" {
			return strconv.Atoi(target[i+1])
		}
	}
	return 0, fmt.Errorf("target %q names no port", target)
}
