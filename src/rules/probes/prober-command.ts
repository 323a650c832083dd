/**
 * The prober's command line: the contract between the rules that write it and the binary that reads it
 * (prober/README.md). It contains every attribute that kubelet would have used.
 *
 *     prober http|https --port=N [--host=H] [--path=P] [--header=NAME: VALUE]... [--h2c] [--timeout=Ns] [--hook]
 *     prober tcp        --port=N [--host=H] [--timeout=Ns] [--hook]
 *     prober grpc       --port=N [--service=S] [--tls] [--timeout=Ns]
 */
import type { NetworkHandler } from '../../kubernetes/handler.ts'

export const PROBER_MOUNT = '/istio-onramp'
const PROBER_BINARY = `${PROBER_MOUNT}/prober`
/** The command of the init container, whose image contains the prober. */
export const INSTALL_COMMAND = ['/prober', 'install', PROBER_MOUNT] as const
/** The downward API variable that gives the prober the address that kubelet would have dialled. */
export const POD_IP_VARIABLE = 'ISTIO_ONRAMP_POD_IP'

export interface ProberCall {
  readonly handler: NetworkHandler
  /** The resolved `handler.port`. */
  readonly port: number
  readonly timeoutSeconds: number
  readonly isHook: boolean
}

export function proberCommand(call: ProberCall): readonly string[] {
  const words = [subcommand(call.handler), `--port=${call.port}`, ...attributes(call.handler)]
  if (call.isHook) return [PROBER_BINARY, ...words, '--hook']
  return [PROBER_BINARY, ...words, `--timeout=${call.timeoutSeconds}s`].map(escapeExpansion)
}

export function isProberCommand(command: readonly string[]): boolean {
  return command[0] === PROBER_BINARY
}

function subcommand(handler: NetworkHandler): string {
  switch (handler.kind) {
    case 'httpGet':
      return handler.scheme === 'HTTPS' ? 'https' : 'http'
    case 'tcpSocket':
      return 'tcp'
    case 'grpc':
      return 'grpc'
  }
}

function attributes(handler: NetworkHandler): readonly string[] {
  if (handler.kind === 'grpc')
    return [...(handler.service === '' ? [] : [`--service=${handler.service}`]), ...(handler.tls ? ['--tls'] : [])]
  const host = handler.host === '' ? [] : [`--host=${handler.host}`]
  if (handler.kind === 'tcpSocket') return host
  const headers = handler.headers.map(({ name, value }) => `--header=${name}: ${value}`)
  return [...host, `--path=${handler.path}`, ...headers, ...(handler.http2 ? ['--h2c'] : [])]
}

/**
 * kubelet expands `$(NAME)` in the command of an exec probe and turns `$$` into `$` (pkg/kubelet/prober/prober.go), but
 * not in the command of a hook (pkg/kubelet/lifecycle/handlers.go). So only a probe's dollars are doubled.
 */
function escapeExpansion(word: string): string {
  return word.replaceAll('$', '$$$$')
}
