/**
 * Who leads a partition, and who is in its in-sync set, when brokers come and go.
 *
 * Clean: only a member of the ISR may lead, so nothing acknowledged is lost. The last member stays in the ISR however dead it
 * is: it alone is known to have everything. Unclean, only where the topic allows it: any live replica, and the ISR starts
 * over from it.
 */
import { ConfigResourceType, type MetadataImage } from './image.ts'
import type { PartitionChange } from './metadata-records.ts'
import { LeaderRecoveryState, NO_LEADER, preferredLeader, sameMembers, type PartitionState } from './partition-state.ts'

export interface ElectionOptions {
  /** May this broker lead: unfenced, and not on its way out. */
  readonly mayLead: (brokerId: number) => boolean
  readonly allowUnclean: boolean
  /** Take leadership back to the first replica although another one leads well. */
  readonly preferred?: boolean
}

/** The ISR without the broker, or as it was when the broker is its last member. */
export function isrWithout(isr: readonly number[], brokerId: number): readonly number[] {
  const rest = isr.filter((id) => id !== brokerId)
  return rest.length === 0 ? isr : rest
}

/**
 * The change that gives the partition `isr` and, where needed, another leader; null when all is as it should be. A leader that
 * may go on leading is kept.
 */
export function electLeader(partition: PartitionState, isr: readonly number[], options: ElectionOptions): PartitionChange | null {
  const { leader, unclean } = pick(partition, isr, options)
  const newIsr = unclean ? [leader] : isr
  const isrChanges = !sameMembers(newIsr, partition.isr)
  if (leader === partition.leader && !isrChanges) return null
  return {
    ...(isrChanges ? { isr: newIsr } : {}),
    ...(leader === partition.leader ? {} : { leader }),
    ...(unclean ? { leaderRecoveryState: LeaderRecoveryState.RECOVERING } : {}),
  }
}

function pick(
  partition: PartitionState,
  isr: readonly number[],
  { mayLead, allowUnclean, preferred }: ElectionOptions,
): { readonly leader: number; readonly unclean: boolean } {
  const isClean = (id: number): boolean => isr.includes(id) && mayLead(id)
  const first = preferredLeader(partition)
  if (preferred === true && isClean(first)) return { leader: first, unclean: false }
  if (isClean(partition.leader)) return { leader: partition.leader, unclean: false }
  const clean = partition.replicas.find(isClean)
  if (clean !== undefined) return { leader: clean, unclean: false }
  const any = allowUnclean ? partition.replicas.find(mayLead) : undefined
  return any === undefined ? { leader: NO_LEADER, unclean: false } : { leader: any, unclean: true }
}

/** The topic's own setting, else the cluster's default, else no. */
export function allowsUncleanElection(image: MetadataImage, topicName: string): boolean {
  const name = 'unclean.leader.election.enable'
  const own = image.configOf(ConfigResourceType.TOPIC, topicName).get(name)
  return (own ?? image.configOf(ConfigResourceType.BROKER, '').get(name)) === 'true'
}
