/**
 * Text search on raw bytes: a block of records is searched as one run of bytes, and only where that hits is anything
 * decoded. Invariant: a hit is exact for the bytes it covers; whether it lies within a searched field is for the caller.
 *
 * Without case, ASCII text is found in a copy of the block with its ASCII letters lowered, four bytes at a time. Other text is
 * found with a regular expression over the block as Latin-1 text, one character per byte, in which each character of the
 * needle may be in its lower or upper form, each as its own UTF-8 bytes.
 */
import { isAscii } from 'node:buffer'
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
  if (isAscii(Buffer.from(text.contains, 'utf8'))) return { ...fields, search: loweredSearch(text.contains.toLowerCase()) }
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

/** One copy serves all blocks in turn: a search is over before the next block's begins. */
function loweredSearch(needle: string): TextMatcher['search'] {
  const needleBytes = Buffer.from(needle, 'utf8')
  let words = new Uint32Array(64 * 1024)
  return (buffer, start, end) => {
    const length = end - start
    if (words.length * 4 < length) words = new Uint32Array(Math.ceil(length / 4) * 2)
    const lowered = Buffer.from(words.buffer, 0, length)
    buffer.copy(lowered, 0, start, end)
    lowerAscii(words, Math.ceil(length / 4))
    return {
      next(from) {
        const at = lowered.indexOf(needleBytes, Math.max(0, from - start))
        return at < 0 ? null : { start: start + at, end: start + at + needleBytes.length }
      },
    }
  }
}

/** Sets bit 5 of each byte from "A" to "Z", four bytes at a time. Bytes from 0x80 on may change too: they stay no ASCII. */
function lowerAscii(words: Uint32Array, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const word = words[at] ?? 0
    const low = word & 0x7f7f7f7f
    // Bit 7 of a byte of the first sum: at least "A"; of the second: above "Z".
    const isCapital = (low + 0x3f3f3f3f) & ~(low + 0x25252525) & 0x80808080
    words[at] = word | (isCapital >>> 2)
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
