/** What stands in people's folders beside Kubernetes objects: other tools' files, and templates of Helm. */
import { isObject, member, stringMember, type Json } from '../kubernetes/json.ts'

/** Why a document holds no Kubernetes object; undefined where it does, or tries to. */
export function notAnObject(value: Json, file: string, isInFolder: boolean): string | undefined {
  const name = file.split('/').at(-1) ?? ''
  if (!isObject(value)) return isInFolder ? 'skipped, it holds no Kubernetes object' : undefined
  const apiVersion = stringMember(value, 'apiVersion') ?? ''
  const kind = stringMember(value, 'kind') ?? ''
  if (apiVersion.startsWith('kustomize.config.k8s.io/'))
    return `skipped, a ${kind} of kustomize: kubectl kustomize renders it`
  if (/^kustomization\.ya?ml$|^Kustomization$/.test(name) && (apiVersion === '' || kind === ''))
    return 'skipped, a Kustomization: kubectl kustomize renders it'
  if (name === 'Chart.yaml' && kind === '') return 'skipped, the description of a Helm chart'
  if (member(value, 'apiVersion') === undefined && member(value, 'kind') === undefined && isInFolder)
    return 'skipped, it holds no Kubernetes object'
  return undefined
}

/** An action of a template: `{{ .Values.x }}`, `{{- if ... }}`. */
const ACTION = /\{\{-?\s*(?:[.$"(`]|\/\*|[a-z][A-Za-z]*\b)/
const IDENTITY = ['apiVersion', 'kind']

/**
 * Whether a text is a template of Helm: one that cannot be read as YAML, or, as texts with `{{ }}` in quotes are YAML and
 * may be meant so (Prometheus' rules have them), one whose object is named by an action.
 */
export function isHelmTemplate(text: string, value: Json | undefined): boolean {
  if (!text.includes('{{') || !ACTION.test(text)) return false
  if (value === undefined) return true
  const metadata = member(value, 'metadata')
  const names = [
    ...IDENTITY.map((key) => stringMember(value, key)),
    ...['name', 'namespace'].map((key) => stringMember(metadata, key)),
  ]
  return names.some((name) => name?.includes('{{') === true)
}
