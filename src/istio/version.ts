/**
 * Istio's version, as far as the injector's `values.global.tag` tells it: `1.29.1`, `1.27-dev`, `1-28`.
 *
 * A tag that is not a version (`latest`, a digest) leaves the version unknown. Unknown is taken for a supported release,
 * because every release older than the differences below has been out of support for more than a year
 * (docs/decisions/unknown-istio-version.md).
 */
export interface Version {
  readonly major: number
  readonly minor: number
}

export function parseVersion(tag: string | undefined): Version | undefined {
  const found = /^v?(\d+)[.-](\d+)(?:[.-]|$)/.exec(tag ?? '')
  return found === null ? undefined : { major: Number(found[1]), minor: Number(found[2]) }
}

/** Whether an installation is known to be older than release `major.minor`. */
export function isOlderThan(version: Version | undefined, major: number, minor: number): boolean {
  if (version === undefined) return false
  return version.major < major || (version.major === major && version.minor < minor)
}
