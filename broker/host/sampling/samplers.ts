import type { Env } from '../../env/types.ts'
import type { Store } from '../../store/store.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { sampleGroups } from './group-sampler.ts'
import { createHistoryRecorder, pruneIntervalMs } from './history-recorder.ts'
import type { TimelineRecorder } from '../timeline/timeline-recorder.ts'
import { sampleInSyncMinimums } from './in-sync-minimums.ts'
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

export function createSamplers(
  env: Env,
  { history, clusterEvents }: Pick<Store, 'history' | 'clusterEvents'>,
  timeline: TimelineRecorder,
  signal: AbortSignal,
): Samplers {
  const recorder = createHistoryRecorder(env, history)
  runRounds(env, {
    intervalMs: pruneIntervalMs,
    signal,
    async round() {
      try {
        history.prune(env.clock.nowMs())
        clusterEvents.prune(env.clock.nowMs())
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
      const follower = timeline.follow(session)
      const quorum = sampleQuorum(env, session, follower)
      const minimums = sampleInSyncMinimums(env, session)
      const metadata = sampleMetadata(env, session, follower, () => {
        for (const sampler of [offsets, sizes, groups, minimums]) sampler.hurry()
        quorum.attend()
      })
      return {
        refresh() {
          for (const sampler of [offsets, sizes, groups, minimums]) sampler.hurry()
          for (const sampler of [metadata, quorum]) sampler.attend()
        },
      }
    },
  }
}
