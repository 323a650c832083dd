/** Counts a noun for a message: `1 probe`, `2 probes`. */
export function counted(number: number, noun: string, ending = 's'): string {
  return `${number} ${noun}${number === 1 ? '' : ending}`
}
