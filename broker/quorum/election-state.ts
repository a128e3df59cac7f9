/**
 * The `quorum-state` file: epoch, vote and leader as one line of JSON, in Kafka's data version 1.
 *
 * It is on stable storage before a vote is answered or asked for; a replica that forgot its vote could vote twice in an epoch.
 */
import { NO_NODE, UNKNOWN_DIRECTORY, type ElectionState } from './types.ts'

export const INITIAL_ELECTION_STATE: ElectionState = { epoch: 0, leaderId: null, votedFor: null }

export function encodeElectionState(state: ElectionState): Buffer {
  const line = {
    leaderId: state.leaderId ?? NO_NODE,
    leaderEpoch: state.epoch,
    votedId: state.votedFor?.id ?? NO_NODE,
    votedDirectoryId: state.votedFor?.directoryId ?? UNKNOWN_DIRECTORY,
    data_version: 1,
  }
  return Buffer.from(JSON.stringify(line), 'utf8')
}

/**
 * Reads data versions 0 and 1. Throws when the content is neither: without its vote a replica must not take part, and
 * guessing one would be worse than staying away.
 */
export function decodeElectionState(content: Uint8Array): ElectionState {
  const parsed: unknown = JSON.parse(Buffer.from(content).toString('utf8'))
  if (!isQuorumStateFile(parsed)) throw new Error('quorum-state is not a quorum state of data version 0 or 1')
  return {
    epoch: parsed.leaderEpoch,
    leaderId: parsed.leaderId === NO_NODE ? null : parsed.leaderId,
    votedFor: parsed.votedId === NO_NODE ? null : { id: parsed.votedId, directoryId: parsed.votedDirectoryId ?? UNKNOWN_DIRECTORY },
  }
}

interface QuorumStateFile {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly votedId: number
  readonly votedDirectoryId?: string
}

function isQuorumStateFile(value: unknown): value is QuorumStateFile {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  const known = fields['data_version'] === 0 || fields['data_version'] === 1
  const directory = fields['votedDirectoryId']
  return (
    known &&
    isInteger(fields['leaderId'], NO_NODE) &&
    isInteger(fields['leaderEpoch'], 0) &&
    isInteger(fields['votedId'], NO_NODE) &&
    (directory === undefined || typeof directory === 'string')
  )
}

function isInteger(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
}
