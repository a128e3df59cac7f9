/** A plan in the form in which it is shown: what moves, how much, and what every broker holds before and after. */
import { reassignmentRowsMax, type BrokerLoad, type ReassignmentGoal, type ReassignmentPreview } from '../../contract/reassignments.ts'
import { plural } from '../plural.ts'
import { Tally } from './load.ts'
import { added, removed, type Plan, type PlanInput } from './plan-types.ts'
import { namesOf } from './progress.ts'

export function previewOf(
  plan: Plan,
  input: PlanInput,
  goal: ReassignmentGoal,
  warnings: readonly string[],
): Omit<ReassignmentPreview, 'planId'> {
  const bytesOf = new Map(input.partitions.map((partition) => [`${partition.topic} ${partition.partition}`, partition.bytes]))
  const moves = plan.moves.map((move) => {
    const adding = added(move)
    const bytes = bytesOf.get(`${move.topic} ${move.partition}`) ?? null
    return { ...move, adding, removing: removed(move), bytes: adding.length === 0 ? 0 : bytes === null ? null : bytes * adding.length }
  })
  const unknown = moves.filter(({ bytes }) => bytes === null).length
  return {
    title: titleOf(goal),
    confirmName: goal.kind === 'empty-broker' ? `broker ${goal.brokerId}` : goal.topic,
    moves: moves.slice(0, reassignmentRowsMax),
    moveTotal: moves.length,
    unchangedCount: plan.unchangedCount,
    blocked: plan.blocked.slice(0, reassignmentRowsMax),
    blockedTotal: plan.blocked.length,
    bytes: moves.reduce((total, { bytes }) => total + (bytes ?? 0), 0),
    brokers: loadsOf(plan, input, bytesOf),
    warnings:
      unknown === 0
        ? warnings
        : [...warnings, `The size of ${plural(unknown, 'partition')} is not known yet: more will be copied than is shown.`],
  }
}

export function titleOf(goal: ReassignmentGoal): string {
  if (goal.kind === 'empty-broker') return `Move everything off broker ${goal.brokerId}`
  if (goal.kind === 'replication-factor') return `Give ${goal.topic} ${plural(goal.replicationFactor, 'replica')} of each partition`
  const where = `Move ${goal.topic} to ${namesOf(goal.brokers.toSorted((a, b) => a - b))}`
  return goal.replicationFactor === null ? where : `${where}, ${plural(goal.replicationFactor, 'replica')} of each partition`
}

function loadsOf(plan: Plan, input: PlanInput, bytesOf: ReadonlyMap<string, number | null>): readonly BrokerLoad[] {
  const [replicas, leaders] = [new Tally(), new Tally()]
  for (const partition of input.partitions) {
    for (const id of partition.replicas) replicas.add(id)
    if (partition.replicas[0] !== undefined) leaders.add(partition.replicas[0])
  }
  const [replicaChange, leaderChange, bytesIn] = [new Tally(), new Tally(), new Tally()]
  for (const move of plan.moves) {
    for (const id of removed(move)) replicaChange.add(id, -1)
    for (const id of added(move)) {
      replicaChange.add(id)
      bytesIn.add(id, bytesOf.get(`${move.topic} ${move.partition}`) ?? 0)
    }
    if (move.before[0] !== undefined) leaderChange.add(move.before[0], -1)
    if (move.after[0] !== undefined) leaderChange.add(move.after[0])
  }
  const alive = new Map(input.brokers.map(({ id, rack }) => [id, rack]))
  const ids = [...new Set([...alive.keys(), ...input.partitions.flatMap((partition) => partition.replicas)])].sort((a, b) => a - b)
  return ids.map((brokerId) => ({
    brokerId,
    rack: alive.get(brokerId) ?? null,
    isAlive: alive.has(brokerId),
    replicasBefore: replicas.of(brokerId),
    replicasAfter: replicas.of(brokerId) + replicaChange.of(brokerId),
    leadersBefore: leaders.of(brokerId),
    leadersAfter: leaders.of(brokerId) + leaderChange.of(brokerId),
    bytesIn: bytesIn.of(brokerId),
  }))
}
