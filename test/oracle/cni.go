package main

import (
	"encoding/json"
	_ "unsafe" // for go:linkname

	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/plugins/pkg/ns"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"istio.io/istio/cni/pkg/plugin"
)

// doAddRun is what the CNI plugin does when a pod's network is made (cni/pkg/plugin/plugin.go), and getNs how it
// opens the pod's network namespace. Neither is exported; Istio's own dry-run test uses them in this very way.
//
//go:linkname doAddRun istio.io/istio/cni/pkg/plugin.doAddRun
func doAddRun(args *skel.CmdArgs, conf *plugin.Config, client kubernetes.Interface, rules plugin.InterceptRuleMgr) error

//go:linkname getNs istio.io/istio/cni/pkg/plugin.getNs
var getNs func(path string) (ns.NetNS, error)

// noNamespace is the pod's network namespace: a dry run touches none.
type noNamespace struct{ ns.NetNS }

func (n noNamespace) Do(run func(ns.NetNS) error) error { return run(n) }
func (n noNamespace) Close() error                      { return nil }

// cni runs the plugin for an admitted pod. No rules means that the plugin skipped it; an error from the plugin means
// that the pod's network, and so the pod, never starts.
func (r *dryRunner) cni(pod *corev1.Pod) (rules chains, failed string, err error) {
	info, err := json.Marshal(plugin.ExtractPodInfo(pod))
	if err != nil {
		return nil, "", err
	}
	key := pod.Namespace + " " + string(info)
	if rules, ok := r.known[key]; ok {
		return rules, "", nil
	}
	getNs = func(string) (ns.NetNS, error) { return noNamespace{}, nil }
	named := pod.DeepCopy()
	named.Name = "pod"
	rules, err = r.dryRun(func() error {
		args := &skel.CmdArgs{Args: "K8S_POD_NAMESPACE=" + pod.Namespace + ";K8S_POD_NAME=pod", Netns: "/none"}
		// kube-system is what the chart istio-cni excludes (manifests/charts/istio-cni/values.yaml).
		conf := &plugin.Config{PluginLogLevel: "none", CNIAgentRunDir: r.folder(), ExcludeNamespaces: []string{"kube-system"}}
		if failure := doAddRun(args, conf, fake.NewClientset(named), plugin.IptablesInterceptRuleMgr()); failure != nil {
			failed = failure.Error()
		}
		return nil
	})
	if err != nil || failed != "" {
		return nil, failed, err
	}
	r.known[key] = rules
	return rules, "", nil
}
