/** What a run has to say for itself. */
import type { Problem } from '../../contract/errors.ts'
import type { ReassignmentStatus } from '../../contract/reassignments.ts'
import { plural } from '../plural.ts'
import { HostError } from '../problem.ts'
import type { TrackedMove } from './progress.ts'
import type { ThrottledSetting } from './throttle.ts'

/** Which settings stay, and what to do about them. */
export function throttleLeft(left: readonly ThrottledSetting[]): Problem {
  const where = [...new Set(left.map(({ type, name }) => `${type} ${name}`))]
  const { message, code, data } = new HostError('BROKER_ERROR', `The throttle could not be removed from ${where.slice(0, 5).join(', ')}.`, {
    advice: `It is tried again. By hand: remove ${[...new Set(left.map(({ setting }) => setting))].join(', ')} there.`,
  })
  return { code, message, ...data }
}

/** What moved and what did not, once it is over. */
export function summaryOf(status: ReassignmentStatus, moves: readonly Pick<TrackedMove, 'state'>[]): string {
  const count = (state: TrackedMove['state']): number => moves.filter((move) => move.state === state).length
  const [done, back, failed] = [count('done'), count('cancelled'), count('failed')]
  if (status === 'failed') return 'Nothing was moved: every partition is where it was.'
  const sentences = [
    done === 0
      ? null
      : status === 'cancelled'
        ? `${plural(done, 'partition')} had arrived and ${done === 1 ? 'stays' : 'stay'} there.`
        : `${plural(done, 'partition')} moved.`,
    back === 0 ? null : `${plural(back, 'partition')} went back to where ${back === 1 ? 'it was' : 'they were'}.`,
    failed === 0 ? null : `${plural(failed, 'partition')} did not move.`,
  ]
  return sentences.filter((sentence) => sentence !== null).join(' ')
}
