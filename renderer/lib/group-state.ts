import type { Tone } from './tone.ts'

/** How a group stands: settled, changing hands, without members, gone. */
export function groupTone(state: string): Tone {
  switch (state) {
    case 'Stable':
      return 'ok'
    case 'PreparingRebalance':
    case 'CompletingRebalance':
    case 'Assigning':
    case 'Reconciling':
      return 'warn'
    case 'Dead':
      return 'bad'
    default:
      return 'idle'
  }
}
