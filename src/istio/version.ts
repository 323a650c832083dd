/**
 * Istio's version, read from the injector's `values.global.tag`: `1.29.1`, `1.27-dev`, `1-28`.
 *
 * If the tag is not a version (`latest`, a digest), the version is unknown. An unknown version counts as a supported
 * release, because every release old enough to differ has been out of support for more than a year
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
