/** Snapshots of the metadata in a simulated world: made, loaded, and taken over from the leader. */
import { afterEach, describe, expect, it } from 'vitest'
import { snapshotFileName, snapshotIdOf } from '../../../broker/node/metadata-snapshot.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { SimulatedQuorumCluster, type ObserverNode } from './simulated-quorum-cluster.ts'

const DIRECTORY = '/data/__cluster_metadata-0'
let cluster: SimulatedQuorumCluster

afterEach(() => {
  if (cluster.failures.length > 0) throw new Error(cluster.failures.join('\n'))
})

/** A broker that has joined, following controllers that make a snapshot after every few topics. */
async function startAll(options: { readonly voters: number; readonly diskLatencyMsMax?: number }): Promise<ObserverNode> {
  cluster = new SimulatedQuorumCluster({ seed: 1, snapshotAfterBytes: 1_500, ...options })
  for (const id of cluster.controllerIds) await cluster.startController(id)
  const node = await cluster.startObserver(1)
  await cluster.join(node, 1)
  return node
}

let made = 0
async function createTopics(node: ObserverNode, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => `topic-${++made}`)
  for (const name of names) {
    const error = await cluster.run(cluster.createTopic(node, name, 60_000))
    // A call whose answer was lost was carried out all the same.
    expect([ErrorCode.NONE, ErrorCode.TOPIC_ALREADY_EXISTS]).toContain(error)
  }
  return names
}

async function snapshotsOf(name: string) {
  const names = (await cluster.run(cluster.env(name).disk.list(DIRECTORY))) ?? []
  const ids = names.map(snapshotIdOf).flatMap((id) => (id === null || id.endOffset === 0 ? [] : [id]))
  return ids.sort((one, other) => one.endOffset - other.endOffset)
}

async function untilSnapshots(name: string, isEnough: (ends: readonly number[]) => boolean): Promise<void> {
  for (let waitedMs = 0; !isEnough((await snapshotsOf(name)).map(({ endOffset }) => endOffset)); waitedMs += 50) {
    if (waitedMs > 20_000) throw new Error(`no such snapshots of ${name}`)
    await cluster.advance(50)
  }
}

const hasAll = (node: ObserverNode, names: readonly string[]) => names.every((name) => node.observer.image.topic(name) !== undefined)

describe('a snapshot', () => {
  it('is made again and again by controllers and brokers, and two are kept', async () => {
    const node = await startAll({ voters: 1 })
    await createTopics(node, 40)
    await untilSnapshots('controller 1001', (ends) => ends.length === 2)
    await untilSnapshots('observer 1', (ends) => ends.length === 2)
  })

  it.each(['kill', 'powerLoss'] as const)('and the log behind it are the whole state after a %s', async (cause) => {
    const node = await startAll({ voters: 1, diskLatencyMsMax: 3 })
    const names = await createTopics(node, 40)
    cluster.endController(1001, cause)
    cluster.end('observer 1', cause)
    await cluster.startController(1001)
    const again = await cluster.startObserver(1)
    await cluster.until(() => hasAll(again, names))
    expect(again.observer.image.broker(1)).toEqual(node.observer.image.broker(1))
    expect(await cluster.run(cluster.createTopic(again, names[0]!))).toBe(ErrorCode.TOPIC_ALREADY_EXISTS)
  })

  it('that is damaged is removed, and the one before it serves', async () => {
    const node = await startAll({ voters: 1 })
    const names = await createTopics(node, 40)
    await untilSnapshots('controller 1001', (ends) => ends.length === 2)
    cluster.endController(1001, 'kill')
    const newest = (await snapshotsOf('controller 1001')).at(-1)!
    const { disk } = cluster.env('controller 1001')
    const path = `${DIRECTORY}/${snapshotFileName(newest)}`
    const content = (await cluster.run(disk.readFile(path)))!
    content[content.length >> 1]! ^= 0xff
    await cluster.run(disk.writeFileAtomic(path, content))
    await cluster.startController(1001)
    expect(await cluster.run(cluster.createTopic(node, names.at(-1)!, 60_000))).toBe(ErrorCode.TOPIC_ALREADY_EXISTS)
  })

  it('is what a broker with an empty folder starts from, and the rest follows', async () => {
    const node = await startAll({ voters: 1 })
    const names = await createTopics(node, 40)
    await untilSnapshots('controller 1001', (ends) => ends.length === 2)
    const newcomer = await cluster.startObserver(2)
    await cluster.until(() => hasAll(newcomer, names))
    expect(await snapshotsOf('observer 2')).not.toEqual([])
    const more = await createTopics(node, 3)
    await cluster.until(() => hasAll(newcomer, more))
    expect(newcomer.observer.image.offset).toBe(node.observer.image.offset)
  })

  it('tells whoever follows of everything that changed while it was away', async () => {
    const node = await startAll({ voters: 1 })
    const [first] = await createTopics(node, 1)
    const follower = await cluster.startObserver(2)
    await cluster.until(() => hasAll(follower, [first!]))
    cluster.end('observer 2', 'kill')
    const names = await createTopics(node, 60)
    await untilSnapshots('controller 1001', ([oldest]) => oldest !== undefined && oldest > follower.observer.image.offset)
    const again = await cluster.startObserver(2)
    const created = new Set<string>()
    again.observer.onDelta(({ createdTopics, after }) => {
      for (const id of createdTopics) created.add(after.topicById(id)!.name)
    })
    await cluster.until(() => hasAll(again, names))
    for (const name of names) expect(created).toContain(name)
  })
})

describe('a voter that was away while the log was cut', () => {
  it('takes over the leader’s snapshot, votes, and can lead with all that was decided', async () => {
    const node = await startAll({ voters: 3 })
    await cluster.until(() => node.observer.leaderId !== null)
    const away = cluster.controllerIds.find((id) => id !== node.observer.leaderId)!
    cluster.endController(away, 'powerLoss')
    const names = await createTopics(node, 60)
    await untilSnapshots(`controller ${node.observer.leaderId}`, (ends) => ends.length === 2)
    await cluster.startController(away)
    await cluster.advance(2_000)
    names.push(...(await createTopics(node, 2)))
    // Only the one that was away is left to lead with a fresh one beside it.
    const leader = node.observer.leaderId!
    cluster.endController(leader, 'kill')
    names.push(...(await createTopics(node, 2)))
    await cluster.until(() => hasAll(node, names))
    const newcomer = await cluster.startObserver(2)
    await cluster.until(() => hasAll(newcomer, names))
  })
})
