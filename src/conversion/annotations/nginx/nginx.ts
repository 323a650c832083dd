/**
 * All annotations of ingress-nginx
 * (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/), with one file per feature.
 */
import type { AnnotationTable } from '../entry.ts'
import { NGINX_AFFINITY } from './affinity.ts'
import { NGINX_BACKEND } from './backend.ts'
import { NGINX_BASIC_AUTH } from './basic-auth.ts'
import { NGINX_CANARY } from './canary.ts'
import { NGINX_CORS } from './cors.ts'
import { NGINX_EXTERNAL_AUTH } from './external-auth.ts'
import { NGINX_FIREWALL } from './firewall.ts'
import { NGINX_HEADERS } from './headers.ts'
import { NGINX_HOSTS } from './hosts.ts'
import { NGINX_LIMITS } from './limits.ts'
import { NGINX_MIRROR } from './mirror.ts'
import { NGINX_OBSERVABILITY } from './observability.ts'
import { NGINX_REDIRECT } from './redirect.ts'
import { NGINX_RETRIES } from './retries.ts'
import { NGINX_REWRITE } from './rewrite.ts'
import { NGINX_SNIPPET } from './snippet.ts'
import { NGINX_TIMEOUTS } from './timeouts.ts'
import { NGINX_TLS } from './tls.ts'

export const NGINX: AnnotationTable = {
  ...NGINX_REWRITE,
  ...NGINX_REDIRECT,
  ...NGINX_HOSTS,
  ...NGINX_CANARY,
  ...NGINX_CORS,
  ...NGINX_EXTERNAL_AUTH,
  ...NGINX_BASIC_AUTH,
  ...NGINX_TLS,
  ...NGINX_FIREWALL,
  ...NGINX_LIMITS,
  ...NGINX_BACKEND,
  ...NGINX_AFFINITY,
  ...NGINX_RETRIES,
  ...NGINX_TIMEOUTS,
  ...NGINX_MIRROR,
  ...NGINX_HEADERS,
  ...NGINX_SNIPPET,
  ...NGINX_OBSERVABILITY,
}
