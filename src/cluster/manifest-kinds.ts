/** Other files in folders with Kubernetes objects: those of other tools, and Helm templates. */
import { isObject, member, stringMember, type Json } from '../kubernetes/json.ts'

/** Returns why a document has no Kubernetes object; undefined if it has one, or seems meant to. */
export function notAnObject(value: Json, file: string, isInFolder: boolean): string | undefined {
  const name = file.split('/').at(-1) ?? ''
  if (!isObject(value)) return isInFolder ? 'skipped: no Kubernetes object' : undefined
  const apiVersion = stringMember(value, 'apiVersion') ?? ''
  const kind = stringMember(value, 'kind') ?? ''
  if (apiVersion.startsWith('kustomize.config.k8s.io/'))
    return `skipped: a kustomize ${kind}; render it with kubectl kustomize`
  if (/^kustomization\.ya?ml$|^Kustomization$/.test(name) && (apiVersion === '' || kind === ''))
    return 'skipped: a Kustomization; render it with kubectl kustomize'
  if (name === 'Chart.yaml' && kind === '') return 'skipped: the description of a Helm chart'
  if (member(value, 'apiVersion') === undefined && member(value, 'kind') === undefined && isInFolder)
    return 'skipped: no Kubernetes object'
  return undefined
}

/** A template action: `{{ .Values.x }}`, `{{- if ... }}`. */
const ACTION = /\{\{-?\s*(?:[.$"(`]|\/\*|[a-z][A-Za-z]*\b)/
const IDENTITY = ['apiVersion', 'kind']

/**
 * Whether a text is a Helm template: it cannot be parsed as YAML, or an action is part of its object's identity. Text
 * with `{{ }}` in quotes is valid YAML and may be intended, as in Prometheus rules.
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

/** Returns where the first template action begins. */
export function helmAt(text: string): number {
  return Math.max(0, text.indexOf('{{'))
}

/** Returns what to do about the file. A template in a folder `templates` belongs to the chart one folder up. */
export function helmText(file: string): string {
  const chart = /^(.*?)\/?templates\//.exec(file)?.[1]
  const folder = chart === undefined ? 'CHART' : chart === '' ? '.' : chart
  return `this looks like a Helm template; render it first: helm template ${folder} | istio-onramp preview -f -`
}
