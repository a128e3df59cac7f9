import { isSafeNumber, parse, stringify } from 'lossless-json'

/**
 * JSON laid out for reading with every number spelled exactly as it was stored: 9007199254740993 and 1.10 stay so.
 * Returns null when the text is not JSON.
 */
export function prettyJson(text: string): string | null {
  const trimmed = text.trim()
  if (!/^[[{"\d\-tfn]/.test(trimmed)) return null
  try {
    return stringify(parse(trimmed), undefined, 2) ?? null
  } catch {
    return null
  }
}

/** Whether a JavaScript number would show this numeral otherwise than it is written. */
export function losesPrecision(numeral: string): boolean {
  return !isSafeNumber(numeral)
}

export interface JsonProblem {
  message: string
}

/** What is wrong with a text that should be JSON, or null when nothing is. */
export function jsonProblem(text: string): JsonProblem | null {
  try {
    parse(text)
    return null
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) }
  }
}
