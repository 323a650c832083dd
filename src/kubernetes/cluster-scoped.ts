import { ownEntry } from './json.ts'

/** Cluster-scoped kinds by API group; `*` means every kind of the group. */
const CLUSTER_SCOPED: Readonly<Record<string, readonly string[]>> = {
  '': ['Namespace', 'Node', 'PersistentVolume', 'ComponentStatus'],
  'admissionregistration.k8s.io': ['*'],
  'apps.kruise.io': ['SidecarSet', 'NodeImage', 'NodePodProbe'],
  'apiextensions.k8s.io': ['CustomResourceDefinition'],
  'apiregistration.k8s.io': ['APIService'],
  'certificates.k8s.io': ['CertificateSigningRequest', 'ClusterTrustBundle'],
  'config.openshift.io': ['*'],
  'flowcontrol.apiserver.k8s.io': ['*'],
  'gateway.networking.k8s.io': ['GatewayClass'],
  'networking.k8s.io': ['IngressClass', 'IPAddress', 'ServiceCIDR'],
  'node.k8s.io': ['RuntimeClass'],
  policy: ['PodSecurityPolicy'],
  'rbac.authorization.k8s.io': ['ClusterRole', 'ClusterRoleBinding'],
  'resource.k8s.io': ['DeviceClass', 'ResourceSlice'],
  'scheduling.k8s.io': ['PriorityClass'],
  'security.openshift.io': ['SecurityContextConstraints'],
  'storage.k8s.io': ['StorageClass', 'CSIDriver', 'CSINode', 'VolumeAttachment', 'VolumeAttributesClass'],
}

/**
 * Whether a kind is cluster-scoped. Kubernetes' own kinds are listed. A manifest does not state the scope of other
 * APIs; by convention their cluster-scoped kinds begin with Cluster (ClusterIssuer, ClusterPolicy). OLM's
 * ClusterServiceVersion is the exception.
 */
export function isClusterScoped(group: string, kind: string): boolean {
  const kinds = ownEntry(CLUSTER_SCOPED, group) ?? []
  if (kinds.includes(kind) || kinds.includes('*')) return true
  return group.includes('.') && /^Cluster[A-Z]/.test(kind) && kind !== 'ClusterServiceVersion'
}

/** Returns `apps` for `apps/v1`; empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}
