/**
 * The one way a partition changes: towards a wanted in-sync set or set of replicas, with everything that follows from it.
 *
 *   1. a reassignment whose new replicas are in sync is completed;
 *   2. members that leave an ISR below min.insync.replicas become eligible leader replicas (KIP-966): nothing is committed without
 *      min.insync.replicas members, so they hold every committed record until the ISR is large enough again;
 *   3. a leader is elected: from the ISR; from the eligible replicas when the ISR is empty; the last known leader when nobody else
 *      can have everything; any live replica only where that was allowed.
 *
 * Without the feature eligible.leader.replicas.version the last member stays in the ISR however dead it is: it alone is known to
 * have everything.
 */
import { ELIGIBLE_LEADER_REPLICAS } from './features.ts'
import { ConfigResourceType, type MetadataImage } from './image.ts'
import { partitionChangeRecord, type MetadataRecord, type PartitionChange } from './metadata-records.ts'
import { DirectoryId, LeaderRecoveryState, NO_LEADER, preferredLeader, sameMembers, type PartitionState } from './partition-state.ts'

export const MIN_INSYNC_REPLICAS = 'min.insync.replicas'

/**
 * - `clean`: a leader that may go on leading is kept;
 * - `preferred`: leadership goes back to the first replica where that is in sync;
 * - `unclean`: as `clean`, and where no complete replica is alive, any that is.
 */
export type ElectionKind = 'clean' | 'preferred' | 'unclean'

export interface ChangeRules {
  readonly election: ElectionKind
  /** May this broker lead: unfenced, and not on its way out. */
  readonly mayLead: (brokerId: number) => boolean
  readonly minInsyncReplicas: number
  readonly keepsEligibleReplicas: boolean
  /** A broker that may have lost what it had acknowledged: it is complete no more. */
  readonly uncleanBroker: number | null
  /** Log directory of a replica that is new on that broker. */
  readonly directoryOf: (brokerId: number) => string
}

export interface WantedState {
  readonly isr?: readonly number[]
  readonly replicas?: readonly number[]
  readonly addingReplicas?: readonly number[]
  readonly removingReplicas?: readonly number[]
  readonly leaderRecoveryState?: LeaderRecoveryState
}

type Target = Pick<
  PartitionState,
  'replicas' | 'addingReplicas' | 'removingReplicas' | 'isr' | 'eligibleLeaderReplicas' | 'lastKnownElr' | 'leader' | 'leaderRecoveryState'
>

/** What the topic's settings and the cluster's features say; the caller adds what it is about. */
export function changeRules(
  image: MetadataImage,
  topicName: string,
  options: Partial<Pick<ChangeRules, 'election' | 'mayLead' | 'uncleanBroker'>> = {},
): ChangeRules {
  return {
    election: options.election ?? (allowsUncleanElection(image, topicName) ? 'unclean' : 'clean'),
    mayLead: options.mayLead ?? ((id) => image.isActive(id)),
    minInsyncReplicas: minInsyncReplicas(image, topicName),
    keepsEligibleReplicas: keepsEligibleReplicas(image),
    uncleanBroker: options.uncleanBroker ?? null,
    directoryOf: (id) => onlyDirectoryOf(image, id),
  }
}

/** The change towards `wanted`, or null when all is as it should be. */
export function changePartition(before: PartitionState, wanted: WantedState, rules: ChangeRules): PartitionChange | null {
  const target = elected(before, withEligible(before, withReassignment(before, wanted), rules), rules)
  return differences(before, target, rules)
}

/** A broker with one log directory will put the replica there; with several it says later where. */
export function onlyDirectoryOf(image: MetadataImage, brokerId: number): string {
  const directories = image.broker(brokerId)?.logDirectories ?? []
  return directories.length === 1 && !image.isStorageOffline(brokerId) ? directories[0]! : DirectoryId.UNASSIGNED
}

/** The topic's own setting, else the cluster's default, else no. */
export function allowsUncleanElection(image: MetadataImage, topicName: string): boolean {
  return settingOf(image, topicName, 'unclean.leader.election.enable') === 'true'
}

/** The topic's own setting, else the cluster's default, which a leader writes into the metadata when it finds none, else 1. */
export function minInsyncReplicas(image: MetadataImage, topicName: string): number {
  return Number(settingOf(image, topicName, MIN_INSYNC_REPLICAS) ?? 1)
}

function settingOf(image: MetadataImage, topicName: string, name: string): string | undefined {
  return image.configOf(ConfigResourceType.TOPIC, topicName).get(name) ?? image.configOf(ConfigResourceType.BROKER, '').get(name)
}

/**
 * Ends the eligibility of replicas where the ISR is large enough by now because min.insync.replicas fell: from that moment the
 * leader commits without them.
 */
export function endEligibility(image: MetadataImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of image.topics()) {
    for (const [index, { isr, replicas, eligibleLeaderReplicas }] of topic.partitions.entries()) {
      if (eligibleLeaderReplicas.length === 0 || isr.length < Math.min(minInsyncReplicas(image, topic.name), replicas.length)) continue
      records.push(partitionChangeRecord(topic.id, index, { eligibleLeaderReplicas: [], lastKnownElr: [] }))
    }
  }
  return records
}

export function keepsEligibleReplicas(image: MetadataImage): boolean {
  return (image.features.get(ELIGIBLE_LEADER_REPLICAS) ?? 0) > 0
}

// --------------------------------------------------------------------------------------------------------------- steps

/** KIP-455: done once all that were added are in sync and somebody stays. */
function withReassignment(before: PartitionState, wanted: WantedState): Target {
  const target = { ...before, ...wanted }
  const { addingReplicas, removingReplicas } = target
  if (addingReplicas.length === 0 && removingReplicas.length === 0) return target
  const staying = without(target.isr, removingReplicas)
  if (staying.length === 0 || !addingReplicas.every((id) => staying.includes(id))) return target
  return { ...target, replicas: without(target.replicas, removingReplicas), isr: staying, addingReplicas: [], removingReplicas: [] }
}

function withEligible(
  before: PartitionState,
  target: Target,
  { keepsEligibleReplicas, minInsyncReplicas: minimum, uncleanBroker }: ChangeRules,
): Target {
  const isr = target.isr.filter((id) => target.replicas.includes(id))
  if (!keepsEligibleReplicas) {
    const lastMembers = before.isr.filter((id) => target.replicas.includes(id))
    return { ...target, isr: isr.length === 0 ? lastMembers : isr, eligibleLeaderReplicas: [], lastKnownElr: [] }
  }
  if (isr.length >= Math.min(minimum, target.replicas.length)) return { ...target, isr, eligibleLeaderReplicas: [], lastKnownElr: [] }
  const complete = target.replicas.filter((id) => before.isr.includes(id) || before.eligibleLeaderReplicas.includes(id))
  const eligibleLeaderReplicas = complete.filter((id) => !isr.includes(id) && id !== uncleanBroker)
  return { ...target, isr, eligibleLeaderReplicas }
}

function elected(before: PartitionState, target: Target, rules: ChangeRules): Target {
  const { isr, eligibleLeaderReplicas } = target
  const { leader, how } = pick(target, rules)
  switch (how) {
    case 'in sync':
      return { ...target, leader, lastKnownElr: [] }
    case 'eligible':
      return { ...target, leader, isr: [leader], eligibleLeaderReplicas: without(eligibleLeaderReplicas, [leader]), lastKnownElr: [] }
    case 'unclean': {
      // What the others have may be more than the new leader has, and then it is not what was committed any more.
      const leaderRecoveryState = LeaderRecoveryState.RECOVERING
      return { ...target, leader, isr: [leader], eligibleLeaderReplicas: [], lastKnownElr: [], leaderRecoveryState }
    }
    case 'nobody': {
      const hadLeader = before.leader !== NO_LEADER
      const lastKnownElr = isr.length === 0 && hadLeader && rules.keepsEligibleReplicas ? [before.leader] : target.lastKnownElr
      return { ...target, leader, lastKnownElr }
    }
  }
}

function pick(
  target: Target,
  rules: ChangeRules,
): { readonly leader: number; readonly how: 'in sync' | 'eligible' | 'unclean' | 'nobody' } {
  const { replicas, isr, eligibleLeaderReplicas, lastKnownElr } = target
  const { election, mayLead, keepsEligibleReplicas } = rules
  const inSync = (id: number): boolean => isr.includes(id) && mayLead(id)
  const first = preferredLeader(target)
  if (election === 'preferred' && inSync(first)) return { leader: first, how: 'in sync' }
  if (inSync(target.leader)) return { leader: target.leader, how: 'in sync' }
  const next = replicas.find(inSync)
  if (next !== undefined) return { leader: next, how: 'in sync' }
  if (isr.length === 0) {
    const eligible = replicas.find((id) => eligibleLeaderReplicas.includes(id) && mayLead(id))
    if (eligible !== undefined) return { leader: eligible, how: 'eligible' }
  }
  if (election === 'unclean') {
    const any = replicas.find(mayLead)
    if (any !== undefined) return { leader: any, how: 'unclean' }
  }
  // Nobody is known to have everything any more; of all replicas the one that led last lost least.
  const [lastLeader] = lastKnownElr
  const isLastResort = keepsEligibleReplicas && isr.length === 0 && eligibleLeaderReplicas.length === 0
  if (isLastResort && lastLeader !== undefined && replicas.includes(lastLeader) && mayLead(lastLeader)) {
    return { leader: lastLeader, how: 'unclean' }
  }
  return { leader: NO_LEADER, how: 'nobody' }
}

function differences(before: PartitionState, target: Target, { directoryOf }: ChangeRules): PartitionChange | null {
  const change: { -readonly [Field in keyof PartitionChange]: PartitionChange[Field] } = {}
  if (!sameMembers(target.isr, before.isr)) change.isr = target.isr
  if (!sameOrder(target.replicas, before.replicas)) {
    change.replicas = target.replicas
    change.directories = target.replicas.map((id) => before.directories[before.replicas.indexOf(id)] ?? directoryOf(id))
  }
  if (!sameMembers(target.addingReplicas, before.addingReplicas)) change.addingReplicas = target.addingReplicas
  if (!sameMembers(target.removingReplicas, before.removingReplicas)) change.removingReplicas = target.removingReplicas
  if (!sameMembers(target.eligibleLeaderReplicas, before.eligibleLeaderReplicas))
    change.eligibleLeaderReplicas = target.eligibleLeaderReplicas
  if (!sameMembers(target.lastKnownElr, before.lastKnownElr)) change.lastKnownElr = target.lastKnownElr
  if (target.leaderRecoveryState !== before.leaderRecoveryState) change.leaderRecoveryState = target.leaderRecoveryState
  const losesReplicas = before.replicas.some((id) => !target.replicas.includes(id))
  // A new epoch fences off what a replica that is going may still have under way.
  if (target.leader !== before.leader || (losesReplicas && target.leader !== NO_LEADER)) change.leader = target.leader
  return Object.keys(change).length === 0 ? null : change
}

function without(ids: readonly number[], removed: readonly number[]): readonly number[] {
  return ids.filter((id) => !removed.includes(id))
}

function sameOrder(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((id, index) => id === right[index])
}
