// Lint rules, with the one arrow of docs/../shared design: commands -> server, cluster -> admission -> rules ->
// istio, conversion -> kubernetes. A folder may import itself and what stands to the right of it, nothing else.
import tseslint from 'typescript-eslint'

/** For each folder of src/, the folders it may import. */
const MAY_IMPORT = {
  kubernetes: [],
  istio: ['kubernetes'],
  conversion: ['kubernetes'],
  rules: ['istio', 'conversion', 'kubernetes'],
  admission: ['rules', 'istio', 'conversion', 'kubernetes'],
  cluster: ['admission', 'rules', 'istio', 'conversion', 'kubernetes'],
  certificates: [],
  server: ['admission', 'rules', 'istio', 'conversion', 'kubernetes', 'config'],
  commands: ['server', 'cluster', 'certificates', 'admission', 'rules', 'istio', 'conversion', 'kubernetes', 'config'],
}
const ALL = [...Object.keys(MAY_IMPORT), 'demo', 'config', 'cli', 'version']

/** No I/O, no framework, no clock and no environment: what these decide depends on their arguments alone. */
const PURE = ['kubernetes', 'istio', 'conversion', 'rules']
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
  const forbidden = ALL.filter((other) => other !== folder && !MAY_IMPORT[folder].includes(other))
  const folders = forbidden.map((other) => ({
    regex: `^(\\.\\./)+${other}(/|\\.ts$)`,
    message: `src/${folder} may import ${MAY_IMPORT[folder].join(', ') || 'nothing but itself'} (the one arrow, docs/decisions/one-arrow.md).`,
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
