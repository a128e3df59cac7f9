/** How things stand, for colour: well, behind, lost, at rest or not known, changing. */
export type Tone = 'ok' | 'warn' | 'bad' | 'idle' | 'busy'

/** Lag says nothing by its number alone, so only large ones are marked: amber from a thousand records, never red. */
export function lagTone(lag: number | null): Tone {
  if (lag === null || lag === 0) return 'idle'
  return lag >= 1000 ? 'warn' : 'idle'
}

/** Tones as colours of the drawings. */
export const toneFills: Readonly<Record<Tone, string>> = {
  ok: 'var(--ok-fill)',
  warn: 'var(--warn-fill)',
  bad: 'var(--bad-fill)',
  idle: 'var(--ui-text-dimmed)',
  busy: 'var(--accent-fill)',
}

export const toneTexts: Readonly<Record<Tone, string>> = {
  ok: 'var(--ok)',
  warn: 'var(--warn)',
  bad: 'var(--bad)',
  idle: 'var(--ui-text-muted)',
  busy: 'var(--accent)',
}

/** Outlines stay quiet while all is well. */
export const toneStrokes: Readonly<Record<Tone, string>> = {
  ...toneFills,
  ok: 'var(--ui-border-accented)',
  idle: 'var(--ui-border-accented)',
}
