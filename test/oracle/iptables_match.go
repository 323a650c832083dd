package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// badRule finds a rule that iptables itself refuses: istio-init or the CNI plugin then fails, and the pod never starts.
func (c chains) badRule() string {
	for _, rules := range c {
		for _, words := range rules {
			for i, option := range words {
				if option != "--dport" {
					continue
				}
				if _, err := parsePort(words[i+1]); err != nil {
					return fmt.Sprintf("iptables refuses %q", strings.Join(words, " "))
				}
			}
		}
	}
	return ""
}

// parsePort reads a port as iptables does, with strtoul and base 0: a leading zero makes it octal, and 08081 is refused
// (libxtables/xtables.c xtables_parse_port; tested with iptables 1.8.9, legacy and nft). Istio validates in base 10.
func parsePort(text string) (int, error) {
	port, err := strconv.ParseUint(text, 0, 16)
	return int(port), err
}

// parseRule returns whether a packet meets all conditions of a rule, and the rule's target.
func parseRule(words []string, p *packet) (match bool, target []string, err error) {
	match = true
	for i := 0; i < len(words); i++ {
		not := words[i] == "!"
		if not {
			i++
		}
		option := words[i]
		if option == "-j" {
			return match, words[i+1:], nil
		}
		i++
		met, err := meets(option, words[i], p)
		if err != nil {
			return false, nil, fmt.Errorf("rule %q: %w", words, err)
		}
		match = match && met != not
	}
	return false, nil, fmt.Errorf("rule %q has no target", words)
}

// meets evaluates one condition, of those that Istio's rules use.
func meets(option, value string, p *packet) (bool, error) {
	switch option {
	case "-p":
		return value == "tcp", nil
	case "-m":
		return true, nil
	case "-i":
		return value == p.in, nil
	case "-s":
		return contains(value, p.from)
	case "-d":
		return contains(value, p.to)
	case "--dport":
		port, err := parsePort(value)
		return port == p.port, err
	case "--ctstate":
		return slices.Contains(strings.Split(value, ","), "NEW"), nil
	case "--mark":
		mark, err := strconv.ParseUint(value, 0, 32)
		return mark == p.mark, err
	}
	return false, fmt.Errorf("condition %s is not known to the oracle", option)
}

func contains(value string, address netip.Addr) (bool, error) {
	prefix, err := netip.ParsePrefix(value)
	return err == nil && prefix.Contains(address), err
}
