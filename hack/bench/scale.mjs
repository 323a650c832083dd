// What the server needs in a large real cluster (hack/scale/run), where the parts of a control plane are at hand: to build
// them would take longer than all the rest.
import { spawnSync } from 'node:child_process'

export function benchScale() {
  const { status } = spawnSync('hack/cluster/build', ['--cached', 'control-plane'], { stdio: 'ignore' })
  if (status === 0) spawnSync('hack/scale/run', { stdio: 'inherit' })
  else
    console.log(
      '\nIn a large real cluster: not run, no control plane is at hand; hack/scale/run builds one and measures',
    )
}
