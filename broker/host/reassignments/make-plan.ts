/** From a wish and what is known of the cluster to a plan, with what a person should know before it is run. */
import type { OngoingReassignment } from '../../client/types.ts'
import { reassignmentMovesMax, type ReassignmentGoal } from '../../contract/reassignments.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { topicOf } from '../domains/topic-lanes.ts'
import { plural } from '../plural.ts'
import { HostError } from '../problem.ts'
import { callDeadlineMs } from './deadline.ts'
import { planEmptyBroker } from './empty-broker.ts'
import type { Plan, PlanInput } from './plan-types.ts'
import { namesOf } from './progress.ts'
import { planReplicationFactor, planSpread } from './spread.ts'

export function readPlanInput({ knowledge }: ClusterSession): PlanInput {
  return {
    brokers: knowledge.brokers.map(({ nodeId, rack }) => ({ id: nodeId, rack })),
    partitions: [...knowledge.topics.values()].flatMap((topic) =>
      topic.partitions.map(({ partition, replicas, isr, leader }) => {
        const bytes = topic.leaderBytes[partition]
        return { topic: topic.name, partition, replicas, isr, leader, bytes: bytes === undefined || Number.isNaN(bytes) ? null : bytes }
      }),
    ),
  }
}

/** Rejects with `TOPIC_NOT_FOUND`, `NODE_NOT_FOUND`, or `INVALID_INPUT` when there are too few brokers. */
export async function makePlan(
  session: ClusterSession,
  input: PlanInput,
  goal: ReassignmentGoal,
  ongoing: readonly OngoingReassignment[],
): Promise<{ readonly plan: Plan; readonly warnings: readonly string[] }> {
  const moving = new Set(ongoing.map(({ topic, partition }) => `${topic} ${partition}`))
  demandPossible(session, input, goal, moving)
  const isMoving = ({ topic, partition }: { readonly topic: string; readonly partition: number }): boolean =>
    moving.has(`${topic} ${partition}`)
  const whole = bare(input, goal)
  const busy = whole.moves.filter(isMoving)
  const free = whole.moves.filter((move) => !isMoving(move))
  const moves = free.slice(0, reassignmentMovesMax)
  const blocked = [
    ...whole.blocked,
    ...busy.map(({ topic, partition, before }) => ({ topic, partition, replicas: before, reason: 'It is being moved already.' })),
  ]
  const warnings = await warningsOf(session, goal, input, moves.length)
  if (free.length > moves.length) {
    warnings.push(
      `${plural(free.length - moves.length, 'more partition')} will need another run: one moves at most ${reassignmentMovesMax}.`,
    )
  }
  return { plan: { moves, blocked, unchangedCount: whole.unchangedCount }, warnings }
}

function bare(input: PlanInput, goal: ReassignmentGoal): Plan {
  switch (goal.kind) {
    case 'spread':
      return planSpread(input, goal.topic, goal.brokers, goal.replicationFactor)
    case 'replication-factor':
      return planReplicationFactor(input, goal.topic, goal.replicationFactor)
    case 'empty-broker':
      return planEmptyBroker(input, goal.brokerId)
  }
}

function demandPossible(session: ClusterSession, input: PlanInput, goal: ReassignmentGoal, moving: ReadonlySet<string>): void {
  const alive = new Set(input.brokers.map(({ id }) => id))
  if (goal.kind === 'empty-broker') {
    const isKnown = alive.has(goal.brokerId) || input.partitions.some(({ replicas }) => replicas.includes(goal.brokerId))
    if (isKnown) return
    throw new HostError('NODE_NOT_FOUND', `${session.name} has no broker ${goal.brokerId}.`, { subject: `broker ${goal.brokerId}` })
  }
  const topic = topicOf(session, goal.topic)
  const targets = goal.kind === 'spread' ? goal.brokers : [...alive]
  const missing = targets.filter((id) => !alive.has(id))
  if (missing.length > 0) {
    throw new HostError('INVALID_INPUT', `${capitalized(namesOf(missing))} cannot take replicas: not alive.`, {
      subject: goal.topic,
      advice: 'Choose brokers that are alive.',
    })
  }
  // A partition on the move counts those that go too, and is left alone anyway.
  const settled = topic.partitions.filter(({ partition }) => !moving.has(`${topic.name} ${partition}`))
  const wished = goal.replicationFactor ?? settled.reduce((most, { replicas }) => Math.max(most, replicas.length), 0)
  const staying =
    goal.kind === 'replication-factor'
      ? new Set([...targets, ...topic.partitions.flatMap(({ replicas }) => replicas)]).size
      : targets.length
  if (wished <= staying) return
  throw new HostError(
    'INVALID_INPUT',
    `${plural(wished, 'replica')} of a partition need as many brokers; there ${staying === 1 ? 'is' : 'are'} ${staying}.`,
    {
      subject: goal.topic,
      advice: goal.kind === 'spread' ? 'Choose more brokers or fewer replicas.' : 'Choose fewer replicas or start another broker.',
    },
  )
}

async function warningsOf(session: ClusterSession, goal: ReassignmentGoal, input: PlanInput, moveCount: number): Promise<string[]> {
  if (goal.kind === 'empty-broker' || moveCount === 0) return []
  const warnings: string[] = []
  const before = topicOf(session, goal.topic).replicationFactor
  const after = goal.replicationFactor ?? before
  const [described] = await session.client.admin.describeConfigs([{ type: 'topic', name: goal.topic, names: ['min.insync.replicas'] }], {
    timeoutMs: callDeadlineMs,
  })
  const minInSync = Number(described?.entries.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1)
  if (after < minInSync) {
    warnings.push(
      `min.insync.replicas is ${minInSync}: with ${plural(after, 'replica')}, writes with acks=all will be refused. Lower it first.`,
    )
  }
  if (after === 1 && before > 1) warnings.push('With one replica, the loss of a broker is the loss of its records.')
  const racks = new Set(input.brokers.flatMap(({ rack }) => rack ?? []))
  if (goal.kind === 'spread' && racks.size > 1) {
    const chosen = new Set(input.brokers.filter(({ id }) => goal.brokers.includes(id)).flatMap(({ rack }) => rack ?? []))
    if (chosen.size === 1 && after > 1) warnings.push(`All chosen brokers are in rack ${[...chosen][0]}: its loss takes every replica.`)
  }
  return warnings
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
