/** How things stand, for colour: well, behind, lost, at rest or not known, changing. */
export type Tone = 'ok' | 'warn' | 'bad' | 'idle' | 'busy'

/** Lag says nothing by its number alone, so only large ones are marked: amber from a thousand records, never red. */
export function lagTone(lag: number | null): Tone {
  if (lag === null || lag === 0) return 'idle'
  return lag >= 1000 ? 'warn' : 'idle'
}
