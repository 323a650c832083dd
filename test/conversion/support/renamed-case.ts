/**
 * A case in names of its own: hosts end in `.TAG.test`, namespaces begin with `TAG-`, everywhere in the case. So all cases
 * stand beside one another on one real gateway, as the tenants of a shared one do.
 */
import type { IngressCase } from './cases.ts'

const DOMAIN = /(?<![\w/.-])((?:\*\.)?(?:[a-z0-9-]+\.)*[a-z0-9-]+\.(?:com|org|net))(?![\w.-])/g

export function renamedCase(item: IngressCase, tag: string): IngressCase {
  const namespaces = [item.ingress, ...(item.extraIngresses ?? [])].map(({ ns }) => ns)
  const text = JSON.stringify({ ...item, source: '' })
    .replaceAll(DOMAIN, `$1.${tag}.test`)
    .replaceAll(/(https?:\/\/[a-z0-9.-]+\.(?:com|org|net))(?![\w.-])/g, `$1.${tag}.test`)
  const renamed = [...new Set(namespaces)].reduce(
    (whole, namespace) =>
      whole
        .replaceAll(`.${namespace}.svc.cluster.local`, `.${tag}-${namespace}.svc.cluster.local`)
        .replaceAll(`"ns":"${namespace}"`, `"ns":"${tag}-${namespace}"`)
        .replaceAll(`"${namespace}/`, `"${tag}-${namespace}/`),
    text,
  )
  return { ...(JSON.parse(renamed) as IngressCase), id: item.id, title: item.title }
}
