/** What a run has to say for itself. */
import type { Problem } from '../../contract/errors.ts'
import type { ReassignmentStatus } from '../../contract/reassignments.ts'
import { plural } from '../plural.ts'
import { HostError, toHostError } from '../problem.ts'
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

/** Why the run that is meant cannot be given a limit: it ended since it was shown. */
export function notUnderWay(clusterName: string): HostError {
  return new HostError('REASSIGNMENT_CONFLICT', `The reassignment on ${clusterName} is over: it has no limit any more.`, {
    subject: clusterName,
    advice: 'Its limit was removed at its end; another one starts with a limit of its own.',
  })
}

/** Why it has no limit to change. */
export function notMoving(title: string): HostError {
  return new HostError('REASSIGNMENT_CONFLICT', `"${title}" is not moving, so its limit cannot be changed.`, {
    subject: title,
    advice: 'A limit holds while partitions move, and is removed at the end.',
  })
}

/** Why a limit is still the former one; `mixed`: some brokers may have the new one. */
export function limitNotChanged(title: string, error: unknown, brokersAre: 'as-before' | 'mixed'): HostError {
  const { code, message, data } = toHostError(error, title)
  const advice = brokersAre === 'mixed' ? 'Some brokers may have the new limit already: set it again.' : data.advice
  return new HostError(code, `The limit of "${title}" was not changed. ${message}`, { ...data, advice }, { cause: error })
}

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `no limit`, `1.5 MiB/s per broker`. */
export function limitInWords(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return 'no limit'
  const power = Math.min(Math.floor(Math.log2(bytesPerSecond) / 10), binaryUnits.length - 1)
  return `${Number((bytesPerSecond / 1_024 ** power).toFixed(2))} ${binaryUnits[power]}/s per broker`
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
