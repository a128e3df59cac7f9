/**
 * The throttle of a run (KIP-73), as Kafka's own tool sets it: a rate on every broker that takes part, and on every topic the replicas
 * it holds for. What was set before is remembered, so that the end of the run puts it back; what somebody else has changed meanwhile
 * is left alone.
 */
import type { ConfigChange, ConfigResource } from '../../client/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { slicesOf } from '../sampling/loop.ts'
import { callDeadlineMs } from './deadline.ts'
import { added, type Move } from './plan-types.ts'

const leaderRate = 'leader.replication.throttled.rate'
const followerRate = 'follower.replication.throttled.rate'
const leaderReplicas = 'leader.replication.throttled.replicas'
const followerReplicas = 'follower.replication.throttled.replicas'
/** A longer list is written as all of the topic's replicas: the throttle holds for replicas out of sync only. */
const listCharactersMax = 16_000
const resourcesPerCall = 200

export interface ThrottledSetting {
  readonly type: 'broker' | 'topic'
  readonly name: string
  readonly setting: string
  readonly value: string
  /** What the end of the run puts back; `null`: nothing was set. */
  readonly before: string | null
}

/** Reads what is set now, and answers what is to be set. Brokers that are down are left out: nothing can be set on them. */
export async function planThrottle(
  session: ClusterSession,
  moves: readonly Move[],
  bytesPerSecond: number,
): Promise<readonly ThrottledSetting[]> {
  const wished = wishedSettings(moves, bytesPerSecond, new Set(session.knowledge.brokers.map(({ nodeId }) => nodeId)))
  const current = await currentValues(session, wished)
  return wished.map((one) => ({ ...one, before: current.get(keyOf(one)) ?? null }))
}

/** Rejects with the first refusal; some may be set by then, and `removeThrottle` puts all of them back. */
export async function setThrottle(session: ClusterSession, settings: readonly ThrottledSetting[]): Promise<void> {
  const [failure] = await alter(session, settings, ({ setting, value }) => ({ name: setting, operation: 'set', value }))
  if (failure !== undefined) throw failure
}

/** The settings that could not be put back. Rejects when the cluster cannot be asked. */
export async function removeThrottle(session: ClusterSession, settings: readonly ThrottledSetting[]): Promise<readonly ThrottledSetting[]> {
  const topics = session.knowledge.topics
  const alive = new Set(session.knowledge.brokers.map(({ nodeId }) => String(nodeId)))
  const present = settings.filter(({ type, name }) => type === 'broker' || topics.has(name))
  const reachable = present.filter(({ type, name }) => type === 'topic' || alive.has(name))
  const current = await currentValues(session, reachable)
  const ours = reachable.filter((one) => current.get(keyOf(one)) === one.value)
  const failures = await alter(session, ours, ({ setting, before }) =>
    before === null ? { name: setting, operation: 'delete' } : { name: setting, operation: 'set', value: before },
  )
  const unreachable = present.filter((one) => !reachable.includes(one))
  return failures.length === 0 ? unreachable : present
}

export function wishedSettings(
  moves: readonly Move[],
  bytesPerSecond: number,
  alive: ReadonlySet<number>,
): readonly Omit<ThrottledSetting, 'before'>[] {
  const copied = moves.filter((move) => added(move).length > 0)
  const brokers = new Set(copied.flatMap(({ before, after }) => [...before, ...after]).filter((id) => alive.has(id)))
  const rates = [...brokers]
    .toSorted((a, b) => a - b)
    .flatMap((id) =>
      [leaderRate, followerRate].map((setting) => ({ type: 'broker' as const, name: String(id), setting, value: String(bytesPerSecond) })),
    )
  const lists = [...new Set(copied.map(({ topic }) => topic))].flatMap((topic) => {
    const own = copied.filter((move) => move.topic === topic)
    return [
      { type: 'topic' as const, name: topic, setting: leaderReplicas, value: listOf(own, ({ before }) => before) },
      { type: 'topic' as const, name: topic, setting: followerReplicas, value: listOf(own, added) },
    ]
  })
  return [...rates, ...lists]
}

function listOf(moves: readonly Move[], replicasOf: (move: Move) => readonly number[]): string {
  const list = moves.flatMap((move) => replicasOf(move).map((id) => `${move.partition}:${id}`)).join(',')
  return list.length > listCharactersMax ? '*' : list
}

type Named = Pick<ThrottledSetting, 'type' | 'name' | 'setting'>

/** Values set on the brokers and topics themselves, by setting. */
async function currentValues(session: ClusterSession, settings: readonly Named[]): Promise<ReadonlyMap<string, string | null>> {
  const values = new Map<string, string | null>()
  for (const slice of slicesOf([...byResource(settings)], resourcesPerCall)) {
    const resources = slice.map(([, own]) => ({ ...resourceOf(own), names: own.map(({ setting }) => setting) }))
    for (const { type, name, entries, error } of await session.client.admin.describeConfigs(resources, { timeoutMs: callDeadlineMs })) {
      if (error !== null) throw error
      for (const entry of entries) {
        if (entry.source === type) values.set(keyOf({ type, name, setting: entry.name }), entry.value)
      }
    }
  }
  return values
}

async function alter<Setting extends Named>(
  session: ClusterSession,
  settings: readonly Setting[],
  changeOf: (setting: Setting) => ConfigChange,
) {
  const failures = []
  for (const slice of slicesOf([...byResource(settings)], resourcesPerCall)) {
    const resources = slice.map(([, own]) => ({ ...resourceOf(own), changes: own.map(changeOf) }))
    for (const { error } of await session.client.admin.incrementalAlterConfigs(resources, { timeoutMs: callDeadlineMs })) {
      if (error !== null) failures.push(error)
    }
  }
  return failures
}

function byResource<Setting extends Named>(settings: readonly Setting[]): ReadonlyMap<string, readonly Setting[]> {
  return Map.groupBy(settings, ({ type, name }) => `${type} ${name}`)
}

function resourceOf([first]: readonly Named[]): ConfigResource {
  if (first === undefined) throw new Error('a resource without settings')
  return { type: first.type, name: first.name }
}

function keyOf({ type, name, setting }: { readonly type: string; readonly name: string; readonly setting: string }): string {
  return `${type} ${name} ${setting}`
}
