// The whole chart with its defaults, as each Kubernetes version that it supports gets it. `GOLDEN=rewrite hack/chart/test
// --no-cluster` writes the files: look at the difference before you commit it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { render } from '../support/api-server/helm.ts'

/** From 1.30 on there are match conditions, the admission policy and preStop.sleep. */
const MINORS: Readonly<Record<string, readonly number[]>> = {
  'before-1.30': [27, 28, 29],
  'from-1.30': [30, 31, 32, 33, 34, 35, 36, 37],
}

t.test('what is rendered for Kubernetes 1.27 to 1.37', async (t) => {
  for (const [name, minors] of Object.entries(MINORS)) {
    const golden = join(import.meta.dirname, 'golden', `${name}.yaml`)
    for (const minor of minors) {
      const objects = render({ kubernetes: `1.${minor}.0`, hooks: true })
      const text = objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n')
      if (process.env['GOLDEN'] === 'rewrite') writeFileSync(golden, text)
      t.equal(text, readFileSync(golden, 'utf8'), `1.${minor}`)
    }
  }
})
