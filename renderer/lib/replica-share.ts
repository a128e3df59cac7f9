import type { BrokerSummary } from '../../broker/contract/overview.ts'
import type { Tone } from './tone.ts'

/** A broker's replicas by what they do: leading, following in sync, and the rest, which is behind, or offline with its broker. */
export interface ReplicaShare {
  leads: number
  follows: number
  behind: number
  behindWord: 'behind' | 'offline'
  /** Of `behind`. */
  tone: Tone
  /** Each from 0 to 1 of all its replicas, in the order drawn. */
  segments: { kind: 'leads' | 'follows' | 'behind'; from: number; share: number }[]
}

export function replicaShare(
  broker: Pick<BrokerSummary, 'leaderCount' | 'replicaCount' | 'inSyncReplicaCount'>,
  isUp: boolean,
): ReplicaShare {
  const leads = isUp ? broker.leaderCount : 0
  const follows = isUp ? Math.max(0, broker.inSyncReplicaCount - broker.leaderCount) : 0
  const behind = Math.max(0, broker.replicaCount - leads - follows)
  const total = Math.max(1, broker.replicaCount)
  return {
    leads,
    follows,
    behind,
    behindWord: isUp ? 'behind' : 'offline',
    tone: behind === 0 ? 'idle' : isUp ? 'warn' : 'bad',
    segments: [
      { kind: 'leads', from: 0, share: leads / total },
      { kind: 'follows', from: leads / total, share: follows / total },
      { kind: 'behind', from: (leads + follows) / total, share: behind / total },
    ],
  }
}
