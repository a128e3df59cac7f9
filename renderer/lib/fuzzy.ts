/**
 * Ranking for the palette and filters. Every typed word must occur in the candidate, as a piece or as letters in order;
 * pieces at the start of a word rank first, then pieces anywhere, then scattered letters. Case does not matter.
 */

const BOUNDARY = /[\s._\-/:]/

/** Higher is better; null means that the candidate does not match. An empty query matches everything equally. */
export function fuzzyScore(query: string, candidate: string): number | null {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const text = candidate.toLowerCase()
  let total = 0
  for (const word of words) {
    const score = wordScore(word, text)
    if (score === null) return null
    total += score
  }
  return total - text.length * 0.01
}

function wordScore(word: string, text: string): number | null {
  const at = text.indexOf(word)
  if (at === 0) return word.length === text.length ? 120 : 100
  if (at > 0) return BOUNDARY.test(text[at - 1] as string) ? 80 : 60
  return scatteredScore(word, text)
}

function scatteredScore(word: string, text: string): number | null {
  let position = -1
  let gaps = 0
  for (const letter of word) {
    const next = text.indexOf(letter, position + 1)
    if (next === -1) return null
    if (position >= 0) gaps += next - position - 1
    position = next
  }
  return Math.max(1, 40 - gaps)
}

export interface Ranked<T> {
  item: T
  score: number
}

/** The best `limit` items for a query, best first; ties keep the given order. */
export function fuzzyRank<T>(query: string, items: readonly T[], textOf: (item: T) => string, limit: number): T[] {
  if (query.trim() === '') return items.slice(0, limit)
  const ranked: Ranked<T>[] = []
  for (const item of items) {
    const score = fuzzyScore(query, textOf(item))
    if (score !== null) ranked.push({ item, score })
  }
  return ranked
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
    .map((entry) => entry.item)
}
