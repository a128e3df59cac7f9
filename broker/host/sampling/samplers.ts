import type { Env } from '../../env/types.ts'
import type { HistoryStore } from '../../store/history.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { sampleGroups } from './group-sampler.ts'
import { createHistoryRecorder, pruneIntervalMs } from './history-recorder.ts'
import { runRounds } from './loop.ts'
import { sampleMetadata } from './metadata-sampler.ts'
import { sampleOffsets } from './offset-sampler.ts'
import { sampleQuorum } from './quorum-sampler.ts'
import { sampleSizes } from './size-sampler.ts'

export interface Samplers {
  /** Starts all samplers of a cluster; they end with its session. */
  start(session: ClusterSession): SessionSamplers
}

export interface SessionSamplers {
  /** Looks again at once: after a change, a node's change of state, or when asked to reconnect. */
  refresh(): void
}

export function createSamplers(env: Env, history: HistoryStore, signal: AbortSignal): Samplers {
  const recorder = createHistoryRecorder(env, history)
  runRounds(env, {
    intervalMs: pruneIntervalMs,
    signal,
    async round() {
      try {
        history.prune(env.clock.nowMs())
      } catch (error) {
        env.log.write('error', 'history could not be pruned', { error })
      }
      return pruneIntervalMs
    },
  })
  return {
    start(session) {
      let hasOffsets = false
      const offsets = sampleOffsets(env, session, () => {
        recorder.recordOffsets(session)
        // Lag needs the ends of the logs: the first groups may have been read before them.
        if (!hasOffsets) groups.hurry()
        hasOffsets = true
      })
      const sizes = sampleSizes(env, session)
      const groups = sampleGroups(env, session, (sampled) => recorder.recordGroups(session, sampled))
      const quorum = sampleQuorum(env, session)
      const metadata = sampleMetadata(env, session, () => {
        for (const sampler of [offsets, sizes, groups, quorum]) sampler.hurry()
      })
      return {
        refresh() {
          for (const sampler of [metadata, offsets, sizes, groups, quorum]) sampler.hurry()
        },
      }
    },
  }
}
