/** Durations as Go prints them, in whole hours, minutes and seconds: https://pkg.go.dev/time#ParseDuration. */
export const DURATION = /^(?=.)(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?$/

/** Returns milliseconds; undefined for anything but `8760h`, `90m`, `1h30m` or `45s`. */
export function readDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part: string | undefined) => Number(part ?? 0))
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}
