import type { Logger, LogLevel } from './types.ts'

const levelRanks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/**
 * One line per call: time, level, message, then key=value. Values are quoted when they hold spaces, so that a line
 * stays a line whatever a client put into its name.
 */
export function createStderrLogger(options: { readonly minimumLevel?: LogLevel; readonly write?: (line: string) => void } = {}): Logger {
  const minimumRank = levelRanks[options.minimumLevel ?? 'info']
  const write = options.write ?? ((line: string) => void process.stderr.write(line))
  return {
    write(level, message, fields) {
      if (levelRanks[level] < minimumRank) return
      write(`${new Date().toISOString()} ${level.toUpperCase()} ${oneLine(message)}${formatFields(fields)}\n`)
    },
  }
}

function formatFields(fields: Readonly<Record<string, unknown>> | undefined): string {
  if (fields === undefined) return ''
  let text = ''
  for (const [key, value] of Object.entries(fields)) text += ` ${key}=${formatValue(value)}`
  return text
}

function formatValue(value: unknown): string {
  const text = value instanceof Error ? value.message : typeof value === 'object' ? safeJson(value) : String(value)
  return /^[\w.:/@+,-]+$/.test(text) ? text : JSON.stringify(text)
}

function safeJson(value: object | null): string {
  try {
    return JSON.stringify(value) ?? 'undefined'
  } catch {
    return '[unprintable]'
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ')
}
