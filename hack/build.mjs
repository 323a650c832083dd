// `npm run build`: src/ to dist/ in one step. `--product` leaves out what only hack/ and test/oracle import.
//
// - The product: cli.js and demo/main.js with chunks that they share. A command is imported when it is run, so it loads its
//   own chunks alone. Small dependencies are inside; those of the server stay packages (they load files by name).
// - Every other module by itself, at its path in src/: for the scripts of hack/ and test/oracle.
//
// Names are kept, so a stack names functions (with NODE_OPTIONS=--enable-source-maps, files and lines of src/ as well); white
// space is not, because compiling is most of what a start costs. `npm run typecheck` checks the types.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const SOURCE = fileURLToPath(new URL('../src', import.meta.url))
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const PROGRAMS = ['cli.ts', 'demo/main.ts'].map((name) => join(SOURCE, name))

/** Packages of `serve` and of the live cluster. */
const PACKAGES = [
  '@kubernetes/client-node',
  '@peculiar/x509',
  'close-with-grace',
  'fastify',
  'pino',
  'prom-client',
  'reflect-metadata',
  'undici',
]

const COMMON = {
  outdir: DIST,
  outbase: SOURCE,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  bundle: true,
  logLevel: 'warning',
}

rmSync(DIST, { recursive: true, force: true })
if (!process.argv.includes('--product')) await buildModules()
await buildPrograms()

async function buildPrograms() {
  await build({
    ...COMMON,
    entryPoints: PROGRAMS,
    splitting: true,
    chunkNames: 'chunk-[name]-[hash]',
    external: PACKAGES,
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    plugins: [englishOnly(), withoutProcesses()],
    // Packages in CommonJS ask for Node's own modules by require.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'\nconst require = requireOf(import.meta.url)",
    },
  })
}

async function buildModules() {
  const modules = readdirSync(SOURCE, { recursive: true })
    .map((name) => join(SOURCE, name))
    .filter((file) => file.endsWith('.ts') && !PROGRAMS.includes(file))
  await build({ ...COMMON, entryPoints: modules, packages: 'external', plugins: [eachByItself()] })
}

/** The messages of zod in sixty languages are half of it, and zod itself asks for English by its name. */
function englishOnly() {
  return {
    name: 'english-only',
    setup({ onLoad }) {
      onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
        contents: "export { default as en } from './en.js'",
      }))
    },
  }
}

/** commander can run a command as a separate program. None of ours is one, and node:child_process is slow to load. */
function withoutProcesses() {
  return {
    name: 'without-processes',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
        /\/commander\//.test(importer) ? { path: 'child_process', namespace: 'unused' } : undefined,
      )
      onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}' }))
    },
  }
}

/** Imports of modules stay imports, of the file that is written beside. */
function eachByItself() {
  return {
    name: 'each-by-itself',
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ kind, path }) =>
        kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
      )
    },
  }
}
