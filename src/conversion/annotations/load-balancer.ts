/** Settings of cloud load balancers. They move to the gateway's Service, which the platform team owns. */
import { platformStep, type Entry } from './entry.ts'

export const BALANCER = platformStep(
  'info',
  "a setting of the load balancer: it moves to the gateway's Service, or to the Ingress that leads to the gateway",
)

export const FIREWALL = platformStep(
  'error',
  'SECURITY: it protects the load balancer: the one in front of the gateway needs the same',
)

export const OFFLOADED: Entry = () => ({
  outcome: 'platform-step',
  level: 'warn',
  message:
    'TLS ends at the load balancer: its certificate moves to the one in front of the gateway; here only plain HTTP is served',
  settings: { isTlsOffloaded: true },
})

export const REDIRECT_THERE = platformStep(
  'warn',
  'redirect at the load balancer, which speaks plain HTTP to the gateway; a redirect here would never end',
)
