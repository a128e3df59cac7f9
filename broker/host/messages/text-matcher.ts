/**
 * Text search on raw bytes: a block of records is searched as one run of bytes, and only where that hits is anything
 * decoded. Invariant: a hit is exact for the bytes it covers; whether it lies within a searched field is for the caller.
 *
 * Without case, each character of the needle may be in its lower or upper form, each as its own UTF-8 bytes; the block is
 * searched as Latin-1 text, one character per byte, with a regular expression of those alternatives.
 */
import type { ResolvedText } from './engine-port.ts'

export interface TextHit {
  readonly start: number
  readonly end: number
}

export interface BlockSearch {
  /** The first hit at or after `from`; `null` when there is none. */
  next(from: number): TextHit | null
}

export interface TextMatcher {
  readonly inKey: boolean
  readonly inValue: boolean
  readonly inHeaders: boolean
  /** Searches buffer[start, end). Positions are the buffer's. */
  search(buffer: Buffer, start: number, end: number): BlockSearch
}

export function compileText(text: ResolvedText): TextMatcher {
  const fields = { inKey: text.in.includes('key'), inValue: text.in.includes('value'), inHeaders: text.in.includes('headers') }
  if (text.caseSensitive || !hasCase(text.contains)) return { ...fields, search: exactSearch(Buffer.from(text.contains, 'utf8')) }
  return { ...fields, search: foldedSearch(new RegExp(foldedPattern(text.contains), 'g')) }
}

function exactSearch(needle: Buffer): TextMatcher['search'] {
  return (buffer, start, end) => {
    const block = buffer.subarray(start, end)
    return {
      next(from) {
        const at = block.indexOf(needle, Math.max(0, from - start))
        return at < 0 ? null : { start: start + at, end: start + at + needle.length }
      },
    }
  }
}

function foldedSearch(pattern: RegExp): TextMatcher['search'] {
  return (buffer, start, end) => {
    const text = buffer.toString('latin1', start, end)
    return {
      next(from) {
        pattern.lastIndex = Math.max(0, from - start)
        const match = pattern.exec(text)
        return match === null ? null : { start: start + match.index, end: start + match.index + match[0].length }
      },
    }
  }
}

function hasCase(text: string): boolean {
  return [...text].some((character) => formsOf(character).length > 1)
}

function formsOf(character: string): readonly string[] {
  return [...new Set([character, character.toLowerCase(), character.toUpperCase()])]
}

function foldedPattern(text: string): string {
  return [...text].map((character) => alternatives(formsOf(character).map(bytesOf))).join('')
}

function bytesOf(form: string): readonly number[] {
  return [...Buffer.from(form, 'utf8')]
}

function alternatives(forms: readonly (readonly number[])[]): string {
  const first = forms[0] ?? []
  if (forms.length === 1) return first.map(escaped).join('')
  if (forms.every((form) => form.length === 1)) return `[${forms.map(([byte]) => escaped(byte ?? 0)).join('')}]`
  return `(?:${forms.map((form) => form.map(escaped).join('')).join('|')})`
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}
