/** The real client, for what kubectl cannot do: many requests at once, subresources, dry runs by the thousand. */
import { ApiException, KubeConfig, type V1Status } from '@kubernetes/client-node'
import { kubeconfig } from './kubectl.ts'

export function connect(): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig())
  return config
}

/** For `catch`: an object that already exists, or is already gone, is as it should be. */
export function ignoring(...codes: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof ApiException && codes.includes(error.code)) return undefined
    throw error
  }
}

/** What the API server says in its Status. */
export function messageOf(error: unknown): string {
  if (!(error instanceof ApiException)) return String(error)
  return String((JSON.parse(String(error.body)) as V1Status).message)
}
