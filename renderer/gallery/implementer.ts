import { ORPCError, implement } from '@orpc/server'
import { contract } from '../../broker/contract/contract.ts'
import type { ProblemCode, ProblemData } from '../../broker/contract/errors.ts'
import type { Scene } from './scenes.ts'

/** What the shell needs is answered in every scene, as the real host does when a cluster is lost. */
const alwaysAnswered: ReadonlySet<string> = new Set(['app', 'clusters', 'settings', 'search'])

export type Implementer = ReturnType<typeof createImplementer>

/** The contract ready to be given handlers, behind what the scene lets through. */
export function createImplementer(scene: Scene) {
  return implement(contract).use(async ({ next, path, signal }) => {
    const isShell = alwaysAnswered.has(path[0] ?? '')
    if (scene === 'loading' && !isShell) await untilAborted(signal)
    if (scene === 'error' && !isShell) throw unreachable()
    return next()
  })
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const cancel = (): void => reject(new DOMException('The call was cancelled.', 'AbortError'))
    if (signal?.aborted === true) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
  })
}

function unreachable(): ORPCError<ProblemCode, ProblemData> {
  return new ORPCError('CLUSTER_UNREACHABLE', {
    message: 'The cluster local does not answer on 127.0.0.1:9092, 127.0.0.1:9093 or 127.0.0.1:9094.',
    data: {
      subject: 'local',
      advice: 'Start a broker from Brokers, or check that the address is right.',
      cause: 'connect ECONNREFUSED 127.0.0.1:9092',
    },
  })
}
