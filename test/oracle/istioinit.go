package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"istio.io/istio/tools/istio-iptables/pkg/cmd"
	"istio.io/istio/tools/istio-iptables/pkg/dependencies"
)

// dryRunner dry-runs Istio's redirection code and caches its answers.
type dryRunner struct {
	file  string
	known map[string]chains
}

// newDryRunner sets the file into which Istio's stub writes the rules (tools/istio-iptables/pkg/dependencies/stub.go,
// DRY_RUN_FILE_PATH).
func newDryRunner() (*dryRunner, error) {
	folder, err := os.MkdirTemp("", "oracle-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "rules")
	return &dryRunner{file, map[string]chains{}}, os.Setenv(dependencies.DryRunFilePath.Name, file)
}

func (r *dryRunner) folder() string { return filepath.Dir(r.file) }
func (r *dryRunner) close() error   { return os.RemoveAll(r.folder()) }

// dryRun empties the file, lets Istio write it and reads the rules.
func (r *dryRunner) dryRun(program func() error) (chains, error) {
	if err := os.WriteFile(r.file, nil, 0o600); err != nil {
		return nil, err
	}
	if err := program(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(r.file)
	if err != nil {
		return nil, err
	}
	return readRules(string(text))
}

// istioInit runs the command line of container istio-init with its environment: tools/istio-iptables/pkg/cmd/root.go
// GetCommand. If the arguments are wrong, Istio ends the process, which cannot go unnoticed.
func (r *dryRunner) istioInit(init *corev1.Container) (chains, error) {
	key := fmt.Sprintf("%q %v", init.Args, init.Env)
	if rules, ok := r.known[key]; ok {
		return rules, nil
	}
	if len(init.Args) == 0 || init.Args[0] != "istio-iptables" {
		return nil, fmt.Errorf("istio-init has arguments %q", init.Args)
	}
	rules, err := r.dryRun(func() error {
		defer setEnvironment(init.Env)()
		command := cmd.GetCommand(silentLog())
		command.FParseErrWhitelist.UnknownFlags = true // pilot-agent's own: --log_output_level
		command.SetArgs(append(append([]string{}, init.Args[1:]...), "--dry-run"))
		return command.Execute()
	})
	if err != nil {
		return nil, fmt.Errorf("istio-iptables %s: %w", strings.Join(init.Args[1:], " "), err)
	}
	r.known[key] = rules
	return rules, nil
}

// setEnvironment sets plain variables of a container and returns a function that unsets them.
func setEnvironment(variables []corev1.EnvVar) func() {
	for _, variable := range variables {
		os.Setenv(variable.Name, variable.Value)
	}
	return func() {
		for _, variable := range variables {
			os.Unsetenv(variable.Name)
		}
	}
}
