// Lint rules, with the one arrow of docs/decisions/one-arrow.md: commands -> server, cluster -> admission -> rules ->
// istio, conversion -> kubernetes. A folder may import itself and what stands to the right of it, nothing else.
import tseslint from 'typescript-eslint'

/** For each folder of src/, what it may import: whole folders, folders inside of one, and files of src/ itself. */
const MAY_IMPORT = {
  kubernetes: [],
  istio: ['kubernetes'],
  conversion: ['kubernetes'],
  readiness: ['rules/probes', 'rules/configuration', 'istio', 'kubernetes'],
  callers: ['readiness', 'istio', 'kubernetes'],
  egress: ['callers', 'readiness', 'istio', 'kubernetes'],
  rules: ['istio', 'conversion', 'kubernetes'],
  'rules/strict-switch': ['readiness', 'istio', 'conversion', 'kubernetes'],
  admission: ['rules', 'readiness', 'istio', 'conversion', 'kubernetes', 'errors'],
  cluster: ['admission', 'rules', 'readiness', 'istio', 'conversion', 'kubernetes', 'errors'],
  certificates: ['kubernetes'],
  server: ['admission', 'rules', 'readiness', 'istio', 'conversion', 'kubernetes', 'config', 'errors'],
  commands: [
    ...['server', 'cluster', 'certificates', 'callers', 'egress', 'readiness', 'admission', 'rules'],
    ...['istio', 'conversion', 'kubernetes'],
    ...['config', 'errors', 'version'],
  ],
}
const ALL = [
  ...Object.keys(MAY_IMPORT).filter((name) => !name.includes('/')),
  'demo',
  'config',
  'errors',
  'cli',
  'command-line',
  'version',
]

/** No I/O, no framework, no clock and no environment: what these decide depends on their arguments alone. */
const PURE = ['kubernetes', 'istio', 'conversion', 'readiness', 'callers', 'egress', 'rules', 'rules/strict-switch']
const IMPURE_MODULES = [
  'node:*',
  'fs',
  'path',
  'os',
  'http',
  'https',
  'fastify',
  'pino',
  'prom-client',
  '@kubernetes/*',
  'close-with-grace',
  'commander',
]

function arrow(folder) {
  const allowed = MAY_IMPORT[folder]
  const folders = ALL.filter((other) => other !== topOf(folder) && !allowed.includes(other)).map((other) => ({
    regex: `^(\\.\\./)+${other}(\\.ts$|/${exceptions(other, allowed)})`,
    message: `src/${folder} may import ${allowed.join(', ') || 'nothing but itself'} (docs/decisions/one-arrow.md).`,
  }))
  const modules = PURE.includes(folder)
    ? [{ group: IMPURE_MODULES, message: `src/${folder} is pure: no I/O, no framework.` }]
    : []
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns: [...folders, ...modules] }],
      ...(PURE.includes(folder)
        ? { 'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval', 'Buffer'] }
        : {}),
      ...(PURE.includes(folder)
        ? {
            'no-restricted-properties': [
              'error',
              { object: 'Date', property: 'now', message: 'Time is an argument.' },
              { object: 'Math', property: 'random', message: 'A decision is the same every time.' },
            ],
          }
        : {}),
    },
  }
}

/** `rules` of `rules/strict-switch`: a folder may import all that is in the same one. */
function topOf(folder) {
  return folder.split('/')[0]
}

/** The folders and files inside of one that may be imported although the rest of it may not. */
function exceptions(top, allowed) {
  const inside = allowed.filter((name) => name.startsWith(`${top}/`)).map((name) => name.slice(top.length + 1))
  return inside.length === 0 ? '' : `(?!(${inside.join('|')})(/|\\.ts$))`
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.tap/', 'prober/', 'coverage/'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'ExportAllDeclaration', message: 'No barrels.' },
      ],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  // A table of sentences, a row for each code.
  { files: ['src/readiness/finding-codes.ts'], rules: { 'max-lines': 'off' } },
  ...Object.keys(MAY_IMPORT).map(arrow),
  {
    files: ['test/**/*.ts', 'hack/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': 'off',
      // `t.test` returns a promise that tap itself waits for.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: ['@tapjs/test', '@tapjs/core', '@tapjs/filter', 'tap'].map((name) => ({
            from: 'package',
            name: ['test', 'todo', 'skip'],
            package: name,
          })),
        },
      ],
      // @kubernetes/client-node's models are classes whose objects its own examples write as literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
)
