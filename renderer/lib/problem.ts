import { problemOf, type Problem, type ProblemCode } from '../../broker/contract/errors.ts'

export { problemOf, type Problem }

/** What to do next when the host gives no advice of its own: every failure ends with a way on. */
const nextSteps: Partial<Record<ProblemCode, string>> = {
  HOST_LOST: 'It reconnects by itself. If it does not, start Weir again.',
  CLUSTER_NOT_FOUND: 'Choose another cluster from the switcher on top, or add it in Settings.',
  CLUSTER_UNREACHABLE: 'Check that the cluster runs and that its address is right; it is tried again by itself.',
  CLUSTER_READ_ONLY: 'Allow changes to this connection in Settings first.',
  CLUSTER_NOT_EMBEDDED: 'Only clusters that Weir itself runs can do this.',
  TOPIC_NOT_FOUND: 'It may have been deleted. Go back to Topics.',
  GROUP_NOT_FOUND: 'It may have been deleted, or have expired. Go back to Groups.',
  GROUP_NOT_EMPTY: 'Stop its members first, then try again.',
  RECORD_GONE: 'Retention or compaction removed it. Read the topic again.',
  QUERY_NOT_FOUND: 'Run the query again.',
  CONFIRMATION_MISMATCH: 'Type the name exactly as it is shown.',
  TIMED_OUT: 'Try again; if it persists, look at Brokers.',
  INVALID_INPUT: 'Correct the input and try again.',
}

export function nextStep(problem: Problem): string {
  return problem.advice ?? nextSteps[problem.code] ?? 'Try again.'
}

/** True for the end of a call that this side cancelled: nothing to tell anyone. */
export function isCancelled(error: unknown): boolean {
  return problemOf(error).code === 'CANCELLED'
}
