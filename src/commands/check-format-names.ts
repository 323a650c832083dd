/** The names of the formats of `check -o`. Apart from the formats, so that the flags load without them. */
// prettier-ignore
export const CHECK_FORMATS = ['text', 'json', 'junit', 'sarif', 'github', 'markdown', 'csv', 'html', 'openreports', 'policy-report'] as const

export type CheckFormat = (typeof CHECK_FORMATS)[number]

export function isCheckFormat(name: string): name is CheckFormat {
  return CHECK_FORMATS.some((format) => format === name)
}
