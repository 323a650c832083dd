/** The objects of a conversion as YAML documents, with the report as comments. */
import type { Conversion } from '../conversion/convert-ingresses.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { oneLine, toYaml } from '../kubernetes/yaml-text.ts'

/** Prints the report, then the objects; those outside the Ingresses' namespaces are marked `#!`. */
export function renderObjects({ objects, report }: Conversion, text: string): string {
  const own = new Set(report.map(({ ingress }) => ingress.split('/')[0]))
  const documents = objects.map((object) => renderObject(object, own))
  return [comment(text), ...documents].filter((part) => part !== '').join('---\n')
}

function comment(text: string): string {
  if (text === '') return ''
  const lines = text.trimEnd().split('\n')
  return lines.map((line) => `${`# ${oneLine(line)}`.trimEnd()}\n`).join('')
}

function renderObject(object: JsonObject, own: ReadonlySet<string | undefined>): string {
  const { namespace } = referenceTo(object)
  const mark = own.has(namespace) ? '' : `#! for the platform team: namespace ${oneLine(namespace)}\n`
  return `${mark}${toYaml(object)}`
}
