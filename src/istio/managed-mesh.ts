/**
 * Google's managed Cloud Service Mesh. Its injector ignores the annotation for probe rewriting and does not expose its
 * values, so a pod must not rely on the agent (docs/facts/injection.md#managed-cloud-service-mesh).
 */
export interface WebhookOrigin {
  readonly configuration: string
  /** Label `istio.io/owned-by` of the configuration. */
  readonly owner: string | undefined
  readonly revision: string
  /** `clientConfig.url`; undefined if the webhook is a Service of the cluster. */
  readonly url: string | undefined
}

const RELEASE_CHANNELS = ['asm-managed', 'asm-managed-rapid', 'asm-managed-stable']

/**
 * | any of these          | is                                                                             |
 * |-----------------------|--------------------------------------------------------------------------------|
 * | revision              | one of the three release channels                                              |
 * | configuration         | `istiod-` and a release channel                                                |
 * | owner                 | `mesh.googleapis.com`                                                          |
 * | host, path of the URL | `meshconfig.googleapis.com`, `/inject/ISTIO_META_CLOUDRUN_ADDR/...`            |
 */
export function isManagedMesh({ configuration, owner, revision, url = '' }: WebhookOrigin): boolean {
  return (
    RELEASE_CHANNELS.includes(revision) ||
    RELEASE_CHANNELS.some((channel) => configuration === `istiod-${channel}`) ||
    owner === 'mesh.googleapis.com' ||
    url.startsWith('https://meshconfig.googleapis.com/') ||
    url.includes('/inject/ISTIO_META_CLOUDRUN_ADDR/')
  )
}
