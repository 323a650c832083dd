// What the oracle's random pods cannot have: annotations of ours, and fields of probes that Istio's Kubernetes types lack.

/** Depends on the pod and its index alone. The probes of a pod that Istio has injected are no longer the user's. */
export function varied(pod, index) {
  const copy = structuredClone(pod)
  namePorts(copy, index)
  if (pod.metadata.annotations?.['sidecar.istio.io/status'] !== undefined) return copy
  if (index % 4 < 2) edit(copy, ({ httpGet }) => httpGet?.scheme !== 'HTTPS' && httpGet, { protocol: 'HTTP2' })
  if (index % 5 === 0) edit(copy, ({ grpc }) => grpc, { mode: 'TLS' })
  if (index % 29 === 0) edit(copy, ({ httpGet }) => httpGet, { maxRedirects: 3 })
  if (index % 31 === 0) edit(copy, ({ httpGet }) => httpGet, { path: '/100%' })
  return copy
}

/** Of four pods one names a port for all its containers, one of its own, Istio's, or any; and one a port
 * of Istio's for its first container, where the agent need not serve all. */
function namePorts({ metadata, spec: { containers } }, index) {
  if (index % 4 > 1) return
  const own = containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort))
  const candidates = index % 4 === 0 ? [...own, 15021, 8081, 15090, 15020] : [15090, 15021]
  const port = candidates[Math.floor(index / 4) % candidates.length]
  metadata.annotations = {
    ...metadata.annotations,
    'istio-onramp.io/probe-port': index % 4 === 0 ? String(port) : `${containers[0].name}=${port}`,
  }
}

/** Puts fields into the handler of the last probe that has such a one. */
function edit({ spec: { containers } }, find, fields) {
  const probes = containers.flatMap(({ livenessProbe, readinessProbe, startupProbe }) =>
    [livenessProbe, readinessProbe, startupProbe].filter((probe) => probe !== undefined),
  )
  const handler = probes.map(find).findLast((found) => found)
  if (handler) Object.assign(handler, fields)
}
