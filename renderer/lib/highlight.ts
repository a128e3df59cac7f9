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
