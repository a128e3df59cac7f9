const TAIL_CHARACTERS = 6
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** A name in two: what may be cut short, and the end that may not. No character as a person sees it is split. */
export function splitTail(name: string): { head: string; tail: string } {
  const characters = Array.from(segmenter.segment(name), ({ segment }) => segment)
  if (characters.length <= TAIL_CHARACTERS) return { head: '', tail: name }
  return { head: characters.slice(0, -TAIL_CHARACTERS).join(''), tail: characters.slice(-TAIL_CHARACTERS).join('') }
}
