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

export interface Removal {
  /** What could not be put back. */
  readonly left: readonly ThrottledSetting[]
  /** The first refusal; `null`: what is left is on brokers that are down. */
  readonly failure: Error | null
}

/**
 * Puts back what was set before. Of one setting there may be several, oldest first. What has its former value is put back all the
 * same: a broker may tell that one for a moment after another was set. Rejects when the cluster cannot be asked.
 */
export async function removeThrottle(session: ClusterSession, settings: readonly ThrottledSetting[]): Promise<Removal> {
  const topics = session.knowledge.topics
  const alive = new Set(session.knowledge.brokers.map(({ nodeId }) => String(nodeId)))
  const present = settings.filter(({ type, name }) => type === 'broker' || topics.has(name))
  const reachable = present.filter(({ type, name }) => type === 'topic' || alive.has(name))
  const current = await currentValues(session, reachable)
  const ours = [...Map.groupBy(reachable, keyOf)].flatMap(([key, own]) => {
    const value = current.get(key) ?? null
    return own.findLast((one) => one.value === value) ?? own.findLast(({ before }) => before === value) ?? []
  })
  const [failure] = await alter(session, ours, ({ setting, before }) =>
    before === null ? { name: setting, operation: 'delete' } : { name: setting, operation: 'set', value: before },
  )
  const unreachable = present.filter((one) => !reachable.includes(one))
  return failure === undefined ? { left: unreachable, failure: null } : { left: present, failure }
}

export function wishedSettings(
  moves: readonly Move[],
  bytesPerSecond: number,
  alive: ReadonlySet<number>,
): readonly Omit<ThrottledSetting, 'before'>[] {
  const copied = moves.filter(isCopied)
  const rates = brokersOf(moves)
    .filter((id) => alive.has(id))
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

/** Brokers that a throttle of these moves is set on. */
export function brokersOf(moves: readonly Move[]): readonly number[] {
  const ids = moves.filter(isCopied).flatMap(({ before, after }) => [...before, ...after])
  return [...new Set(ids)].toSorted((a, b) => a - b)
}

function isCopied(move: Move): boolean {
  return added(move).length > 0
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

/** Which setting of which broker or topic. */
export function keyOf({ type, name, setting }: { readonly type: string; readonly name: string; readonly setting: string }): string {
  return `${type} ${name} ${setting}`
}
