/** One pod of the chart as a process of this machine: its volumes as folders, its container as the built server. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { V1Container } from '@kubernetes/client-node'

const CLI = join(import.meta.dirname, '../../../dist/cli.js')
const DOCKERFILE = readFileSync(join(import.meta.dirname, '../../../Dockerfile'), 'utf8')
const NODE_FLAGS = DOCKERFILE.match(/--max-[a-z-]+=\d+/g) ?? []

/** The files of a volume by name, as a ConfigMap or a Secret holds them. */
export type Files = Readonly<Record<string, string>>

export class PodProcess {
  readonly address: string
  readonly #container: V1Container
  readonly #folder = mkdtempSync(join(tmpdir(), 'onramp-pod-'))
  readonly #mounted = new Map<string, string>()
  #process: ChildProcess | undefined

  constructor(address: string, container: V1Container, volumes: ReadonlyMap<string, Files>, kubeconfig: string) {
    this.address = address
    this.#container = container
    this.mount(volumes)
    writeFileSync(this.#kubeconfig, kubeconfig)
  }

  get #kubeconfig(): string {
    return join(this.#folder, 'kubeconfig')
  }

  /** What the server has logged, of all its starts. */
  get log(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8')
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** As the image's ENTRYPOINT has it, and without what tap puts into the NODE_OPTIONS of whatever is started. */
  startUnlessRunning(): void {
    if (this.isRunning) return
    const log = openSync(join(this.#folder, 'log'), 'a')
    const command = ['-u', 'NODE_OPTIONS', process.execPath, ...NODE_FLAGS, CLI, ...this.#arguments()]
    this.#process = spawn('env', command, {
      env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', KUBECONFIG: this.#kubeconfig },
      stdio: ['ignore', 'ignore', log],
    })
    closeSync(log)
  }

  /** Paths and ports of the container, where this pod has them. */
  #arguments(): readonly string[] {
    const mounts = this.#container.volumeMounts ?? []
    const here = (text: string, { mountPath, name }: { mountPath: string; name: string }): string =>
      text.replace(`=${mountPath}/`, `=${join(this.#folder, name)}/`)
    return (this.#container.args ?? []).map((argument) =>
      mounts.reduce(here, argument).replace(/^--(listen|metrics)=:/, `--$1=${this.address}:`),
    )
  }

  mount(volumes: ReadonlyMap<string, Files>): void {
    for (const [name, files] of volumes) {
      const content = JSON.stringify(files)
      if (this.#mounted.get(name) !== content) this.#swap(join(this.#folder, name), files)
      this.#mounted.set(name, content)
    }
  }

  /** As kubelet does it: the files in a folder of their own, and one rename of the link that leads to it. */
  #swap(folder: string, files: Files): void {
    const version = `..${Date.now()}`
    mkdirSync(join(folder, version), { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, version, name), text)
    symlinkSync(version, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    for (const name of Object.keys(files))
      if (!existsSync(join(folder, name))) symlinkSync(join('..data', name), join(folder, name))
  }

  /** What the container's own readiness probe is answered; kubelet does not verify certificates either. */
  async isReady(): Promise<boolean> {
    const { httpGet, timeoutSeconds = 1 } = this.#container.readinessProbe ?? {}
    if (!this.isRunning || httpGet === undefined) return false
    const options = { host: this.address, port: this.port(String(httpGet.port)), path: httpGet.path }
    return await new Promise((resolve) => {
      const timeout = timeoutSeconds * 1000
      const sent = get({ ...options, rejectUnauthorized: false, agent: false, timeout }, (response) =>
        resolve(response.resume().statusCode === 200),
      )
      sent.once('timeout', () => sent.destroy()).once('error', () => resolve(false))
    })
  }

  get failureThreshold(): number {
    return this.#container.readinessProbe?.failureThreshold ?? 3
  }

  /** The number of one of the container's ports; throws where it has none of the name. */
  port(name: string): number {
    const found = this.#container.ports?.find((port) => port.name === name)
    if (found === undefined) throw new Error(`the container has no port ${name}`)
    return found.containerPort
  }

  /** The value of one line of `/metrics`, or the sum where several match; 0 where none does. */
  async metric(pattern: RegExp): Promise<number> {
    const response = await fetch(`http://${this.address}:${this.port('metrics')}/metrics`)
    const lines = (await response.text()).split('\n').filter((line) => pattern.test(line))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  /** What kubelet does to a deleted pod: the preStop sleep, SIGTERM, and SIGKILL once the grace has passed. */
  async end(graceSeconds: number): Promise<void> {
    await sleep((this.#container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000)
    await this.#signal('SIGTERM', graceSeconds)
  }

  async kill(): Promise<void> {
    await this.#signal('SIGKILL', 1)
  }

  async #signal(signal: NodeJS.Signals, graceSeconds: number): Promise<void> {
    const child = this.#process
    if (child === undefined || !this.isRunning) return
    const ended = once(child, 'exit')
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), graceSeconds * 1000)
    await ended
    clearTimeout(late)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
