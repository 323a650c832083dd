// Manifests as preview prints them.
import t from 'tap'
import { parseManifests } from '../../src/cluster/manifest.ts'
import { renderManifests } from '../../src/commands/manifest-yaml.ts'

t.test('a denial stays a comment, whatever ends a line in YAML 1.1', (t) => {
  for (const end of ['\n', '\r', '\u0085', '\u2028', '\u2029']) {
    const patched = parseManifests('{apiVersion: v1, kind: Pod}', '-').map((manifest) => ({
      manifest,
      operations: [],
      denial: `denied${end}---${end}kind: Namespace`,
    }))
    const lines = renderManifests(patched).split(/[\n\r\u0085\u2028\u2029]/)
    t.same(
      lines.filter((line) => line !== '' && !line.startsWith('#')),
      [],
      String(end.charCodeAt(0)),
    )
  }
  t.end()
})
