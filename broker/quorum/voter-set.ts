import { UNKNOWN_DIRECTORY, type ReplicaKey, type VoterSet } from './types.ts'

export function isVoter(voters: VoterSet, id: number): boolean {
  return voters.some((voter) => voter.id === id)
}

export function majorityOf(voters: VoterSet): number {
  return Math.floor(voters.length / 2) + 1
}

/** The same replica; a side that does not know the directory is taken at its word for the id. */
export function sameReplica(left: ReplicaKey, right: ReplicaKey): boolean {
  if (left.id !== right.id) return false
  return left.directoryId === right.directoryId || left.directoryId === UNKNOWN_DIRECTORY || right.directoryId === UNKNOWN_DIRECTORY
}
