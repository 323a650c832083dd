/**
 * A pod whose manifest already carries the sidecar, as `istioctl kube-inject` writes it, is in the mesh without any
 * webhook; what it captures then comes from its own `istio-init` arguments (spec/istio.md section 7).
 */
import { arrayMember, scalarText } from '../kubernetes/json.ts'
import type { PodTemplate } from '../kubernetes/pod-template.ts'
import { capture, type Capture } from './capture.ts'
import { asInterceptionMode, isSkippedByCni, type InjectionPass, type InjectionSubject } from './injection-pass.ts'
import type { Mesh } from './mesh.ts'

const STATUS = 'sidecar.istio.io/status'

export function readManifestSidecar({ namespace, template }: InjectionSubject, mesh: Mesh): InjectionPass | undefined {
  const { annotations, containers, labels } = template
  const hasProxy = containers.some(({ name }) => name === 'istio-proxy')
  if (!hasProxy || !annotations.has(STATUS)) return undefined
  return {
    isInjected: false,
    controlPlane: mesh.controlPlane(annotations.get('istio.io/rev') ?? 'default'),
    capture: captureOf(namespace, template),
    redirector: containers.some(({ name }) => name === 'istio-init') ? 'this-call' : 'none',
    rewriting: { state: 'off', evidence: 'the sidecar is in the manifest, no webhook touches its probes' },
    labels,
    annotations,
    evidence: `the manifest carries the sidecar (annotation ${STATUS})`,
  }
}

function captureOf(namespace: string, template: PodTemplate): Capture {
  const { annotations, labels, containers, spec } = template
  const init = containers.find(({ name }) => name === 'istio-init')
  if (init !== undefined) return captureOfArguments(arrayMember(init.raw, 'args').map((word) => scalarText(word) ?? ''))
  const proxy = containers.find(({ name }) => name === 'istio-proxy')
  const pod = { namespace, labels, annotations, hostNetwork: spec['hostNetwork'] === true }
  if (!containers.some(({ name }) => name === 'istio-validation') || isSkippedByCni(pod, proxy?.raw))
    return { kind: 'nothing', why: 'neither istio-init nor the CNI plugin redirects the pod' }
  const include = annotations.get('traffic.sidecar.istio.io/includeInboundPorts')
  return capture({
    mode: asInterceptionMode(annotations.get('sidecar.istio.io/interceptionMode')) ?? 'REDIRECT',
    includeInboundPorts: include ?? '*',
    excludeInboundPorts: annotations.get('traffic.sidecar.istio.io/excludeInboundPorts') ?? '',
    alwaysExcluded: [15020, 15021, 15090],
    excludeInterfaces: annotations.get('traffic.sidecar.istio.io/excludeInterfaces') ?? '',
    virtualInterfaces: annotations.get('istio.io/reroute-virtual-interfaces') ?? '',
  })
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
