/**
 * Pods whose manifest already contains the sidecar, as `istioctl kube-inject` writes it. They are in the mesh without
 * any webhook. Their capture comes from the arguments of their own `istio-init`, or from what the CNI plugin reads in
 * the pod (docs/facts/injection.md#already-injected-pods).
 */
import { readAgent } from './agent.ts'
import { INJECTION_STATUS, REVISION } from './annotations.ts'
import type { Container } from '../kubernetes/container.ts'
import { arrayMember, scalarText, stringMember } from '../kubernetes/json.ts'
import { capture, type Capture } from './capture.ts'
import type { InjectionPass, InjectionSubject } from './injection-call.ts'
import { asInterceptionMode, configuredStatusPort } from './proxy-config.ts'
import type { Mesh } from './mesh.ts'
import { cniCapture, readProxy, type Redirection } from './redirection.ts'

export function readManifestSidecar(subject: InjectionSubject, mesh: Mesh): InjectionPass | undefined {
  const { annotations, containers, labels } = subject.template
  const proxy = containers.find(({ name }) => name === 'istio-proxy')
  if (proxy === undefined || !annotations.has(INJECTION_STATUS)) return undefined
  const controlPlane = mesh.controlPlane(annotations.get(REVISION) ?? 'default')
  return {
    isInjected: false,
    hasProxy: true,
    controlPlane,
    agent: readAgent(annotations, controlPlane, portInEnvironment(proxy)),
    isCarried: true,
    isReinvoked: false,
    redirection: redirectionOf(subject, proxy),
    rewriting: { state: 'off', evidence: 'the sidecar is in the manifest, so no webhook rewrites its probes' },
    labels,
    annotations,
    evidence: `the manifest contains the sidecar (annotation ${INJECTION_STATUS})`,
  }
}

/** What the injector told the agent. */
function portInEnvironment({ raw }: Container): number | undefined {
  const variable = arrayMember(raw, 'env').find((entry) => stringMember(entry, 'name') === 'PROXY_CONFIG')
  return configuredStatusPort(stringMember(variable, 'value'))
}

function redirectionOf({ namespace, template }: InjectionSubject, container: Container): Redirection {
  const { annotations, labels, containers, spec } = template
  const proxy = readProxy(container.raw, container.init)
  const init = containers.find(({ name }) => name === 'istio-init')
  if (init !== undefined) {
    const args = arrayMember(init.raw, 'args').map((word) => scalarText(word) ?? '')
    return { capture: captureOfArguments(args), init: 'last-call', proxy }
  }
  const isForCni = containers.some(({ name }) => name === 'istio-validation')
  const pod = { namespace, labels, annotations, hostNetwork: spec['hostNetwork'] === true }
  const nothing: Capture = {
    kind: 'nothing',
    because: 'manifest',
    why: 'the manifest has neither istio-init nor istio-validation',
  }
  return { capture: isForCni ? cniCapture(pod, proxy, annotations) : nothing, init: 'none', proxy }
}

/** `-m` mode, `-b` include, `-d` exclude, `-c` and `-k` interfaces (`tools/istio-iptables/pkg/cmd`). */
function captureOfArguments(args: readonly string[]): Capture {
  const after = (flag: string) => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined)
  return capture({
    mode: asInterceptionMode(after('-m')) ?? 'REDIRECT',
    includeInboundPorts: after('-b') ?? '',
    excludeInboundPorts: after('-d') ?? '',
    alwaysExcluded: [],
    excludeInterfaces: after('-c') ?? '',
    virtualInterfaces: after('-k') ?? '',
  })
}
