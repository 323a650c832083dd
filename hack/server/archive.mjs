// Writes an OCI layout with one image of one layer: archive.mjs LAYER.tar FOLDER REFERENCE
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const OCI = 'application/vnd.oci.image'
const [layerFile, folder, reference] = process.argv.slice(2)
const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch]
mkdirSync(join(folder, 'blobs/sha256'), { recursive: true })

const layer = blob(`${OCI}.layer.v1.tar`, readFileSync(layerFile))
const config = blob(
  `${OCI}.config.v1+json`,
  JSON.stringify({
    architecture,
    os: 'linux',
    config: {
      User: '65532:65532',
      Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
      WorkingDir: '/app',
      Entrypoint: ['node', '/app/dist/cli.js'],
      Cmd: ['serve'],
    },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  }),
)
const manifestType = `${OCI}.manifest.v1+json`
const manifest = blob(
  manifestType,
  JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }),
)
// containerd takes the name from the first, other tools from the second.
const annotations = { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference }
const named = { ...manifest, platform: { architecture, os: 'linux' }, annotations }
const index = { schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [named] }
writeFileSync(join(folder, 'index.json'), JSON.stringify(index))
writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))

function blob(mediaType, content) {
  const bytes = Buffer.from(content)
  const digest = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(join(folder, 'blobs/sha256', digest), bytes)
  return { mediaType, digest: `sha256:${digest}`, size: bytes.length }
}
