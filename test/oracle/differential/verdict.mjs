// Whether a probe or hook works once its pod runs, by the oracle's answer about that pod.

/** Why a handler fails, or always passes; undefined where it works. `probe` is the oracle's, `pod` the one it was sent. */
export function failureOf(probe, pod, answer) {
  return unreachable(probe.after, probe, pod, answer) ?? unserved(probe, pod, answer)
}

/** Whether mutual TLS breaks the user's own handler, and not only what Istio's rewriting made of it before we came. */
export function isOwnFault(probe, pod, answer) {
  const handler = probe.rewritten ? handlerOf(probe, pod) : probe.after
  return unreachable(handler, probe, pod, answer) !== undefined
}

/** Why kubelet does not reach what the handler asks. */
function unreachable(handler, probe, pod, answer) {
  const { httpGet, tcpSocket, grpc } = handler ?? {}
  const target = httpGet ?? tcpSocket ?? grpc
  if (target === undefined || !answer.injected) return undefined
  if (isHook(probe) && tcpSocket !== undefined) return 'kubelet runs no tcpSocket hook'
  if (target.host) return `host ${target.host}`
  const port = numberOf(target.port, containerOf(probe, pod))
  if (port === undefined) return `no port ${target.port}`
  const isStrict = answer.captured?.[port] === true && answer.modes?.[port] === 'STRICT'
  return isStrict ? `port ${port} is captured and STRICT` : undefined
}

/** Why Istio's agent does not answer as the application would. An application may have such a path of its own. */
function unserved(probe, pod, { injected, agent, probes, probers }) {
  const httpGet = probe.after?.httpGet
  if (!injected || !isAgentPath(httpGet?.path)) return undefined
  const rewritten = probes.flatMap(({ rewritten, after }) => (rewritten ? [after?.httpGet?.port] : []))
  if (![15020, agent.port, ...rewritten].includes(httpGet.port)) return undefined
  const entry = probers?.[httpGet.path]
  if (entry === undefined) return `the agent has no entry for ${httpGet.path}`
  if (httpGet.port !== agent.port) return `the agent listens on ${agent.port}, not on ${httpGet.port}`
  const container = containerOf(probe, pod)
  if (probe.init && probe.slot === 'startupProbe' && !agent.native) return 'the agent starts after this container'
  return probe.rewritten ? misunderstood(handlerOf(probe, pod), entry, container) : undefined
}

/** What of the user's handler the agent does not do (`pilot/cmd/pilot-agent/status/server.go`). */
function misunderstood({ httpGet, tcpSocket, grpc }, entry, container) {
  if (httpGet?.protocol === 'HTTP2') return 'the agent asks in HTTP/1.1'
  if (grpc?.mode === 'TLS') return 'the agent asks in clear'
  if (/%(?![\da-f]{2})/i.test(httpGet?.path ?? '')) return `the agent cannot ask for ${httpGet.path}`
  const asked = (entry.httpGet ?? entry.tcpSocket ?? entry.grpc).port
  const wanted = numberOf((httpGet ?? tcpSocket ?? grpc).port, container)
  return asked === wanted ? undefined : `the agent asks port ${asked}, not ${wanted}`
}

function handlerOf(probe, pod) {
  const container = containerOf(probe, pod)
  return isHook(probe) ? container.lifecycle?.[probe.slot] : container[probe.slot]
}

function containerOf({ container, init }, { spec }) {
  return (init ? spec.initContainers : spec.containers).find(({ name }) => name === container)
}

function isHook({ slot }) {
  return slot === 'preStop' || slot === 'postStart'
}

function isAgentPath(path = '') {
  return /^\/app-(health|lifecycle)\//.test(path)
}

function numberOf(port, { ports = [] }) {
  return typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort
}
