//go:build ignore

// What Flux would correct: its own server-side apply of manifests as a dry run, one line for each object that would change.
// Exit code 1 if there is one.
// Usage: flux KUBECONFIG MANIFESTS
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: flux KUBECONFIG MANIFESTS"))
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	fail(err)
	reader, err := client.New(config, client.Options{})
	fail(err)
	manager := ssa.NewResourceManager(reader, nil, ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"})
	opened, err := os.Open(os.Args[2])
	fail(err)
	objects, err := utils.ReadObjects(opened)
	fail(err)
	drifted := 0
	for _, object := range objects {
		change, live, expected, err := manager.Diff(context.Background(), object, ssa.DefaultDiffOptions())
		fail(err)
		if change.Action != ssa.UnchangedAction {
			drifted++
			fmt.Printf("%s %s\n  live     %v\n  expected %v\n", change.Action, change.Subject, live, expected)
		}
	}
	if drifted > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "flux:", err)
		os.Exit(2)
	}
}
