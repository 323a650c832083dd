// A kubeconfig for the fake API server.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../src/kubernetes/json.ts'

export interface KubeconfigOptions {
  readonly user?: JsonObject
  readonly cluster?: JsonObject
}

/** The file, with two contexts: `one`, the current one, whose namespace is `shop`, and `nowhere`, whose server is not there. */
export function writeKubeconfig(folder: string, server: string, { user, cluster }: KubeconfigOptions = {}): string {
  const file = join(folder, 'kubeconfig')
  const plain = { 'insecure-skip-tls-verify': true }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'fake', cluster: { server, ...plain, ...cluster } },
      { name: 'gone', cluster: { server: 'http://127.0.0.1:9', ...plain } },
    ],
    users: [{ name: 'user', user: user ?? { token: 'secret' } }],
    contexts: [
      { name: 'one', context: { cluster: 'fake', user: 'user', namespace: 'shop' } },
      { name: 'nowhere', context: { cluster: 'gone', user: 'user' } },
    ],
    'current-context': 'one',
  }
  writeFileSync(file, JSON.stringify(config))
  return file
}
