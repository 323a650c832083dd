/**
 * The hosts and addresses in a container's environment, command and arguments: the calls that it declares. Only literal
 * values count; ConfigMaps and Secrets are not read.
 */
import { arrayMember, member, scalarText, stringMember, type Json } from '../kubernetes/json.ts'
import { isPortNumber } from '../kubernetes/handler.ts'

export interface Mention {
  /** A DNS name, or an IP address without brackets. */
  readonly host: string
  /** Undefined if the text has no port. */
  readonly port: number | undefined
  /** Whether the caller begins with a TLS handshake, because the text has such a scheme. */
  readonly isTls?: true
  /** Whether the caller sends fewer than five bytes, such as `printf ruok | nc zookeeper 2181`. */
  readonly isShort?: true
}

/** Limits: characters read of one text, and mentions kept of one container. */
const LONGEST_TEXT = 8192
const MOST = 64

const SCHEME_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['ws', 80],
  ['https', 443],
  ['wss', 443],
  ['redis', 6379],
  ['rediss', 6379],
  ['postgres', 5432],
  ['postgresql', 5432],
  ['mysql', 3306],
  ['amqp', 5672],
  ['amqps', 5671],
  ['mongodb', 27017],
  ['nats', 4222],
  ['ldap', 389],
])

/** Schemes whose clients begin with a TLS handshake. */
const TLS_SCHEMES = new Set(['https', 'wss', 'rediss', 'amqps'])

const HOST = '[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})(?:\\.[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})){0,12}\\.?'
const URL = new RegExp(
  `([a-z][a-z0-9+.-]{0,15})://(?:[^/@\\s]{0,200}@)?(?:\\[([0-9a-fA-F:.]{2,45})\\]|(${HOST}))(?::(\\d{1,5}))?`,
  'g',
)
const HOST_PORT = new RegExp(
  `(?:^|[\\s"'=,;@(|])(?:\\[([0-9a-fA-F:.]{2,45})\\]|(${HOST})):(\\d{1,5})(?=$|[\\s"',;/)|])`,
  'g',
)
/** A dotted name with a cluster suffix, or an IPv4 address. */
const DOTTED = new RegExp(`(?:^|[\\s"'=,;@(|])(${HOST})(?=$|[\\s"',;/)|])`, 'g')
/** `-h db`, `--host=db`, `--host db`. */
const HOST_FLAG =
  /(?:^|\s)(?:-h|-H|--?(?:host|hostname|server|addr|address|target|upstream|endpoint|url|backend))[\s=]+["']?([A-Za-z0-9][A-Za-z0-9._-]{0,252})/g
/** `nc -z -w 2 db 5432`, `curl db/health`: the first word that is neither an option nor its number. */
const CLIENT_COMMAND =
  /(?:^|[\s;&|(])(?:curl|wget|nc|ncat|netcat|telnet|pg_isready|ping|nslookup|getent hosts)((?:\s{1,20}-[^\s]{1,200}(?:\s{1,20}\d{1,5}(?=\s))?){0,20})\s{1,20}["']?([A-Za-z0-9][A-Za-z0-9._-]{0,252})(?:\s+(\d{1,5}))?/g
/** Fewer than five bytes to `nc`. */
const SHORT_MESSAGE =
  /(?:printf|echo\s{1,5}-n)\s{1,5}["']?[^\s"'|]{1,4}["']?\s{0,5}\|\s{0,5}(?:nc|ncat|netcat)(?:\s{1,20}-[^\s]{1,200}(?:\s{1,20}\d{1,5}(?=\s))?){0,20}\s{1,20}["']?([A-Za-z0-9][A-Za-z0-9._-]{0,252})\s{1,20}(\d{1,5})/g
const HOST_VARIABLE =
  /(?:^|_)(?:HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|SERVER|ENDPOINT|SERVICE|TARGET|UPSTREAM|BACKEND|PEER|BROKER|DSN)S?$/i
const BARE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** Returns the mentions of one container without duplicates. */
export function readMentions(container: Json): readonly Mention[] {
  const variables = environmentOf(container)
  const found = new Map<string, Mention>()
  const add: Add = (host, port, more = {}) => {
    if (host === undefined || host === '' || found.size >= MOST) return
    const name = host.replace(/\.$/, '').toLowerCase()
    const key = `${name} ${port ?? ''}`
    if (port === undefined && [...found.values()].some((known) => known.host === name)) return
    if (!found.has(key)) found.set(key, { host: name, port, ...more })
  }
  for (const [name, value] of variables) readVariable(name, expand(value, variables), variables, add)
  const words = [...arrayMember(container, 'command'), ...arrayMember(container, 'args')].map((word) =>
    expand(scalarText(word) ?? '', variables),
  )
  readText(words.join(' '), add)
  return [...found.values()]
}

type Add = (host: string | undefined, port: number | undefined, more?: Pick<Mention, 'isTls' | 'isShort'>) => void

function environmentOf(container: Json): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const entry of arrayMember(container, 'env')) {
    const name = stringMember(entry, 'name')
    const value = scalarText(member(entry, 'value'))
    if (name !== undefined && value !== undefined && value !== '') variables.set(name, value)
  }
  return variables
}

/** Expands `$(NAME)` from literal variables, as kubelet does. */
function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text
    .slice(0, LONGEST_TEXT)
    .replace(/\$\(([A-Za-z_][A-Za-z0-9_.-]{0,128})\)/g, (whole, name: string) => variables.get(name) ?? whole)
    .slice(0, LONGEST_TEXT)
}

/** `DB_HOST=db` next to `DB_PORT=5432` is one call. */
function readVariable(name: string, value: string, variables: ReadonlyMap<string, string>, add: Add): void {
  const bare = value.trim()
  if (HOST_VARIABLE.test(name) && (BARE.test(bare) || isDottedHost(bare)))
    add(bare, parsePort(variables.get(name.replace(/(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER|SERVICE)$/i, 'PORT'))))
  else readText(value, add)
}

function readText(text: string, add: Add): void {
  for (const [, host, port] of text.matchAll(SHORT_MESSAGE)) add(host, parsePort(port), { isShort: true })
  for (const [, scheme = '', v6, host, port] of text.matchAll(URL))
    add(v6 ?? host, parsePort(port) ?? SCHEME_PORTS.get(scheme), TLS_SCHEMES.has(scheme) ? { isTls: true } : {})
  for (const [, v6, host, port] of text.matchAll(HOST_PORT)) {
    const number = parsePort(port)
    if (number !== undefined) add(v6 ?? host, number)
  }
  for (const [, host = ''] of text.matchAll(DOTTED)) if (isDottedHost(host)) add(host, undefined)
  for (const [, host = ''] of text.matchAll(HOST_FLAG)) if (!/^\d+$/.test(host)) add(host, undefined)
  for (const [, , host, port] of text.matchAll(CLIENT_COMMAND)) add(host, parsePort(port))
}

/** Accepts names such as `web.shop.svc`, and addresses; rejects `server.conf` and `1.2.3`. */
function isDottedHost(text: string): boolean {
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(text)) return true
  return (
    (/^[\w.-]+$/.test(text) && /\.svc(?:\.|$)/i.test(text)) ||
    (/^[a-z0-9-]+\.[a-z0-9-]+$/i.test(text) &&
      !/\.\d+$/.test(text) &&
      !/\.(?:ya?ml|json|conf|cfg|ini|sh|py|js|ts|jar|log|txt|crt|key|pem|sock|so|toml|xml|properties|go|rb|html?)$/i.test(
        text,
      ))
  )
}

function parsePort(text: string | undefined): number | undefined {
  const port = text !== undefined && /^\d{1,5}$/.test(text.trim()) ? Number(text) : undefined
  return isPortNumber(port) ? port : undefined
}
