/** An answer as one line, so that tables and failures read at a glance; router-tables.yaml says how it is written. */
import type { Answer, BackendAnswer, HeaderChange } from './envoy-routes.ts'

export function shortAnswer(answer: Answer): string {
  switch (answer.kind) {
    case 'no-listener':
      return 'refused'
    case 'status':
      return String(answer.code)
    case 'redirect':
      return `${answer.code} ${answer.location}`
    case 'backend':
      return backendLine(answer)
  }
}

function backendLine({ to, upstreamPath, authority, requestHeaders, responseHeaders }: BackendAnswer): string {
  const isSplit = to.length > 1
  return [
    ...to.map(({ to: destination, weight }) => shortDestination(destination) + (isSplit ? `=${weight}` : '')),
    ...(upstreamPath === undefined ? [] : [upstreamPath]),
    ...(authority === undefined ? [] : [`authority=${authority}`]),
    ...headerTexts(requestHeaders),
    ...headerTexts(responseHeaders).map((text) => `<${text}`),
  ].join(' ')
}

/** `web.shop:80` of `web.shop.svc.cluster.local:80`. */
export function shortDestination(destination: string): string {
  return destination.replace('.svc.cluster.local', '')
}

function headerTexts({ set, add }: HeaderChange): readonly string[] {
  return Object.entries({ ...set, ...add }).map(([name, value]) => `${name}=${value}`)
}
