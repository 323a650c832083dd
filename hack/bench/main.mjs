// npm run bench: what the webhook costs, as ratios within one run. See hack/bench/README.md.
import { benchAccessLogs } from './access-logs.mjs'
import { benchChanges } from './changes.mjs'
import { benchChecks } from './checks.mjs'
import { benchConversions } from './conversions.mjs'
import { benchDecisions } from './decisions.mjs'
import { benchPreviews } from './previews.mjs'
import { benchScale } from './scale.mjs'
import { benchServer } from './server.mjs'
import { benchStrategies } from './strategies.mjs'

await benchDecisions()
benchStrategies()
benchChanges()
benchConversions()
await benchServer()
await benchChecks()
benchAccessLogs()
benchPreviews()
benchScale()
