// Writes an image archive (OCI layout) for `ctr images import`: no registry, no container engine. Each ROOT is a folder
// that becomes an image of one layer; several are the architectures of one reference. The same files make the same bytes:
// no time, no owner, entries by name.
// Usage: node archive.mjs ARCHIVE.tar REFERENCE CONFIG ROOT...
//   CONFIG   the image's `config` as JSON; the program of its Entrypoint, a path, tells the architecture
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const OCI = 'application/vnd.oci.image'
/** `e_machine` of an ELF file. */
const ARCHITECTURES = { 0x3e: 'amd64', 0xb7: 'arm64' }
const [archive, reference, config, ...roots] = process.argv.slice(2)
const layout = mkdtempSync(join(tmpdir(), 'image-'))

try {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  const manifests = roots.map((root) => addImage(root, JSON.parse(config)))
  const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json` }
  // containerd takes the name from the first, other tools from the second.
  const annotations = { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference }
  const named = { ...addBlob(index.mediaType, JSON.stringify({ ...index, manifests })), annotations }
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ ...index, manifests: [named] }))
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(archive, tarOf(layout))
} finally {
  rmSync(layout, { recursive: true })
}
const bytes = readFileSync(archive)
console.log(`${sha256(bytes)}  ${String(bytes.length).padStart(9)} bytes  ${archive}`)

function addImage(root, config) {
  const architecture = architectureOf(join(root, config.Entrypoint[0]))
  const layer = addBlob(`${OCI}.layer.v1.tar`, tarOf(root))
  const rootfs = { type: 'layers', diff_ids: [layer.digest] }
  const described = addBlob(`${OCI}.config.v1+json`, JSON.stringify({ architecture, os: 'linux', config, rootfs }))
  const mediaType = `${OCI}.manifest.v1+json`
  const manifest = { schemaVersion: 2, mediaType, config: described, layers: [layer] }
  return { ...addBlob(mediaType, JSON.stringify(manifest)), platform: { architecture, os: 'linux' } }
}

function architectureOf(program) {
  const architecture = ARCHITECTURES[readFileSync(program).readUInt16LE(18)]
  if (architecture === undefined) throw new Error(`${program}: built neither for amd64 nor for arm64`)
  return architecture
}

function tarOf(folder) {
  const fixed = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar']
  const entries = readdirSync(folder).sort()
  return execFileSync('tar', [...fixed, '-C', folder, '-cf', '-', ...entries], { maxBuffer: 2 ** 30 })
}

function addBlob(mediaType, content) {
  const bytes = Buffer.from(content)
  writeFileSync(join(layout, 'blobs/sha256', sha256(bytes)), bytes)
  return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
