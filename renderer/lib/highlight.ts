import type { TextFilter } from '../../broker/contract/messages.ts'

/** A text cut at the places where what is searched for occurs; joined again, the pieces are the text. */
export interface TextPiece {
  text: string
  isMatch: boolean
}

const MATCHES_MAX = 500

/** Finds the needle as the host's search does: letters alike in both cases unless case matters. Null when nothing is searched for. */
export function matcherOf(needle: string, caseSensitive: boolean): RegExp | null {
  if (needle === '') return null
  return new RegExp(needle.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`), caseSensitive ? 'gu' : 'giu')
}

export function piecesOf(text: string, matcher: RegExp | null): TextPiece[] {
  if (matcher === null) return [{ text, isMatch: false }]
  const pieces: TextPiece[] = []
  let from = 0
  for (const match of text.matchAll(matcher)) {
    if (pieces.length >= MATCHES_MAX) break
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), isMatch: false })
    pieces.push({ text: match[0], isMatch: true })
    from = match.index + match[0].length
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from), isMatch: false })
  return pieces
}

/** What to mark in each part of a record: only the parts that are searched. */
export type FoundMarks = Readonly<Record<NonNullable<TextFilter['in']>[number], RegExp | null>>

export function marksOf(matcher: RegExp | null, searched: TextFilter['in']): FoundMarks {
  const isSearched = (part: keyof FoundMarks): boolean => searched === undefined || searched.includes(part)
  return {
    key: isSearched('key') ? matcher : null,
    value: isSearched('value') ? matcher : null,
    headers: isSearched('headers') ? matcher : null,
  }
}
