// Sends a small review every 100 ms, each on a new connection, until standard input ends. Argument: the port. Prints how
// many were sent, the slowest one in milliseconds, and those that failed.
import { createInterface } from 'node:readline'
import { post, until } from './server.mjs'
import { SMALL } from './shapes.mjs'

const EVERY_MS = 100
const server = { port: Number(process.argv[2]) }
let open = 0
let timer
const answers = []

const lines = createInterface({ input: process.stdin })
lines.once('line', (line) => {
  server.ca = JSON.parse(line).ca
  timer = setInterval(send, EVERY_MS)
})
lines.once('close', async () => {
  clearInterval(timer)
  await until(() => open === 0, 60_000)
  const slowest = Math.round(answers.reduce((most, { milliseconds }) => Math.max(most, milliseconds), 0))
  const failed = answers.filter(({ status }) => status !== 200).map(({ error, status }) => error ?? status)
  console.log(JSON.stringify({ count: answers.length, slowest, failed }))
})

function send() {
  open += 1
  void post(server, '/mutate', SMALL, { timeout: 30_000 }).then((answer) => {
    open -= 1
    answers.push(answer)
  })
}
