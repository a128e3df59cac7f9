import { beforeEach, describe, expect, it } from 'vitest'
import { joinGroup } from '../../../broker/api/11-join-group.schema.ts'
import { heartbeat } from '../../../broker/api/12-heartbeat.schema.ts'
import { leaveGroup } from '../../../broker/api/13-leave-group.schema.ts'
import { createClient } from '../../../broker/client/client.ts'
import type { GroupConsumer, GroupConsumerOptions, KafkaClient, TopicPartition } from '../../../broker/client/types.ts'
import { SimulatedWorld } from '../../../broker/env/simulated.ts'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { encodeBatch } from '../../../broker/wire/record-batch.ts'
import { FakeCluster } from '../../support/fake-cluster.ts'
import { FakeGroup } from '../../support/fake-group.ts'

let world: SimulatedWorld
let env: SimulatedEnv
let cluster: FakeCluster
let group: FakeGroup
let client: KafkaClient

beforeEach(async () => {
  world = new SimulatedWorld({ seed: 1 })
  env = world.start('client')
  cluster = await FakeCluster.start(world, 2)
  cluster.addTopic('t', 4)
  group = new FakeGroup(world.start('coordinator'), cluster.broker(1))
  client = createClient(env, { bootstrapServers: cluster.bootstrapServers })
})

const run = <T>(operation: Promise<T>): Promise<T> => world.loop.run(operation)
const fill = (partition: number, count: number): void => {
  for (let index = 0; index < count; index++) {
    cluster.append('t', partition, encodeBatch({ records: [{ timestampMs: 1, key: null, value: Buffer.from(`${partition}/${index}`) }] }))
  }
}
const shown = (partitions: readonly TopicPartition[]): string =>
  partitions
    .map(({ partition }) => partition)
    .sort()
    .join()

const addPartition = async (): Promise<void> => {
  cluster.topics.get('t')?.partitions.push({ ...cluster.partition('t', 0), batches: [], producers: new Map() })
  await run(client.metadata({ topics: ['t'], refresh: true }))
}

interface Watched {
  readonly consumer: GroupConsumer
  readonly events: string[]
  readonly seen: string[]
}

const join = (options: Partial<GroupConsumerOptions> = {}): Watched => {
  const events: string[] = []
  const consumer = client.consumer({
    groupId: 'g',
    topics: ['t'],
    assignors: ['range'],
    startWithoutCommit: 'earliest',
    sessionTimeoutMs: 3_000,
    heartbeatIntervalMs: 100,
    rebalanceTimeoutMs: 60_000,
    autoCommitIntervalMs: 1_000,
    maxWaitMs: 50,
    onAssigned: (partitions) => void events.push(`+${shown(partitions)}`),
    onRevoked: (partitions) => void events.push(`-${shown(partitions)}`),
    onLost: (partitions) => void events.push(`lost ${shown(partitions)}`),
    ...options,
  })
  return { consumer, events, seen: [] }
}

/** Polls all of them in turn until the condition holds. */
async function pollUntil(watched: readonly Watched[], condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    if (round > 200) throw new Error(`polled in vain; events ${JSON.stringify(watched.map(({ events }) => events))}`)
    await run(
      Promise.all(
        watched.map(async ({ consumer, seen }) => {
          for (const { records } of await consumer.poll()) for (const { value } of records) seen.push(String(value))
        }),
      ),
    )
  }
}

describe('a group consumer', () => {
  it('joins with the id it is given, gets everything when alone, and reads it', async () => {
    fill(0, 3)
    fill(3, 2)
    const one = join()
    await pollUntil([one], () => one.seen.length === 5)
    expect(one.consumer.memberId).toBe('pending-1')
    expect(one.consumer.state).toBe('stable')
    expect(one.events).toEqual(['+0,1,2,3'])
    expect(one.seen.toSorted()).toEqual(['0/0', '0/1', '0/2', '3/0', '3/1'])
  })

  it('shares with one that comes, and takes over from one that leaves, without reading anything twice', async () => {
    for (const partition of [0, 1, 2, 3]) fill(partition, 5)
    const one = join()
    await pollUntil([one], () => one.seen.length > 0)
    const two = join()
    await pollUntil([one, two], () => one.consumer.assignment().length === 2 && two.consumer.assignment().length === 2)
    await pollUntil([one, two], () => one.seen.length + two.seen.length >= 20)
    expect(one.events).toEqual(['+0,1,2,3', '-0,1,2,3', '+0,1'])
    await run(one.consumer.close())
    await pollUntil([two], () => two.consumer.assignment().length === 4)
    fill(0, 1)
    await pollUntil([two], () => two.seen.includes('0/0'))
    expect([...one.seen, ...two.seen]).toHaveLength(21)
  })

  it('keeps what does not move when all assign cooperatively', async () => {
    const one = join({ assignors: ['cooperative-sticky'] })
    await pollUntil([one], () => one.events.length === 1)
    const two = join({ assignors: ['cooperative-sticky'] })
    await pollUntil([one, two], () => two.consumer.assignment().length === 2 && one.consumer.assignment().length === 2)
    const revoked = one.events.filter((event) => event.startsWith('-'))
    expect(revoked).toHaveLength(1)
    expect(revoked[0]).toHaveLength('-2,3'.length)
    expect(new Set([...one.consumer.assignment(), ...two.consumer.assignment()].map(({ partition }) => partition)).size).toBe(4)
  })

  it('commits what earlier polls returned, never what the current one is about to', async () => {
    fill(0, 10)
    const one = join({ pollRecordsMax: 4, autoCommitIntervalMs: 1 })
    await pollUntil([one], () => one.seen.length === 4)
    await world.loop.advance(10)
    expect(group.commits.get('t-0') ?? 0).toBe(0)
    await run(one.consumer.poll())
    await world.loop.advance(10)
    expect(group.commits.get('t-0')).toBe(4)
    await run(one.consumer.close())
    expect(group.commits.get('t-0')).toBe(8)
  })

  it('hands out no more than its bound of records in one poll, from however many partitions', async () => {
    for (const partition of [0, 1, 2, 3]) fill(partition, 5)
    const one = join({ pollRecordsMax: 3 })
    const counts: number[] = []
    while (one.seen.length < 20) {
      const before = one.seen.length
      await pollUntil([one], () => one.seen.length > before)
      counts.push(one.seen.length - before)
    }
    expect(Math.max(...counts)).toBe(3)
    for (const partition of [0, 1, 2, 3]) {
      expect(one.seen.filter((value) => value.startsWith(`${partition}/`))).toEqual([0, 1, 2, 3, 4].map((index) => `${partition}/${index}`))
    }
  })

  it('goes on at the committed offset', async () => {
    fill(0, 5)
    group.commits.set('t-0', 3)
    const one = join()
    await pollUntil([one], () => one.seen.length === 2)
    expect(one.seen).toEqual(['0/3', '0/4'])
  })

  it('commits the leader epoch of what it read, and holds the next leader to it', async () => {
    const records = [{ timestampMs: 1, key: null, value: Buffer.from('0/0') }]
    cluster.append('t', 0, encodeBatch({ records, partitionLeaderEpoch: 3 }))
    cluster.partition('t', 0).leaderEpoch = 3
    const one = join({ autoCommitIntervalMs: null })
    await pollUntil([one], () => one.seen.length === 1)
    await run(one.consumer.commit([{ topic: 't', partition: 0, offset: 1 }]))
    expect(group.commitEpochs.get('t-0')).toBe(3)
    await run(one.consumer.close())

    // A leader that was replaced, and has not heard of it: it never had the record.
    Object.assign(cluster.partition('t', 0), { leaderEpoch: 2, nextOffset: 0 })
    const next = join()
    await pollUntil([next], () => next.consumer.state === 'stable')
    for (let round = 0; round < 5; round++) await run(next.consumer.poll())
    Object.assign(cluster.partition('t', 0), { leaderEpoch: 3, nextOffset: 1 })
    fill(0, 1)
    await pollUntil([next], () => next.seen.length > 0)
    expect(cluster.recordsOf('t', 0).map(({ offset }) => offset)).toEqual([0, 1])
    expect(next.seen).toEqual(['0/0'])
    expect(group.commits.get('t-0')).toBe(1)
  })

  it('begins at the end without a commit, and says so by committing it', async () => {
    fill(0, 5)
    const one = join({ startWithoutCommit: 'latest' })
    await pollUntil([one], () => one.consumer.state === 'stable')
    await run(one.consumer.poll())
    await run(one.consumer.commit())
    expect(group.commits.get('t-0')).toBe(5)
  })

  it('asks for its partitions again when it could not begin to read them', async () => {
    const one = join({ startWithoutCommit: 'fail' })
    await expect(pollUntil([one], () => false)).rejects.toThrow('has no committed offset for t-0')
    for (const partition of [0, 1, 2, 3]) group.commits.set(`t-${partition}`, 0)
    await pollUntil([one], () => one.events.length > 0)
    expect(one.events).toEqual(['+0,1,2,3'])
  })

  it('is told what it has lost when the coordinator does not know it any more, and joins as somebody new', async () => {
    const one = join()
    await pollUntil([one], () => one.events.length === 1)
    group.members.clear()
    await pollUntil([one], () => one.events.length === 3)
    expect(one.events).toEqual(['+0,1,2,3', 'lost 0,1,2,3', '+0,1,2,3'])
    expect(one.consumer.memberId).toBe('pending-2')
  })

  it('is out for good when another takes its static name', async () => {
    const one = join({ groupInstanceId: 'truck' })
    await pollUntil([one], () => one.events.length === 1)
    group.nextHeartbeatError = ErrorCode.FENCED_INSTANCE_ID
    await world.loop.advance(200)
    await expect(run(one.consumer.poll())).rejects.toMatchObject({ kafkaErrorName: 'FENCED_INSTANCE_ID' })
  })

  it('keeps its place in the group when it is static, and gives it up when not', async () => {
    const fixed = join({ groupInstanceId: 'truck' })
    await pollUntil([fixed], () => fixed.events.length === 1)
    await run(fixed.consumer.close())
    expect(cluster.broker(1).requestsOf(leaveGroup)).toHaveLength(0)
    expect(fixed.consumer.assignment()).toEqual([])
  })

  it('makes room when it is not polled', async () => {
    const one = join({ rebalanceTimeoutMs: 1_000 })
    await pollUntil([one], () => one.events.length === 1)
    await world.loop.advance(1_500)
    expect(group.members.size).toBe(0)
    await pollUntil([one], () => one.events.includes('lost 0,1,2,3'))
  })

  it('follows the coordinator to another broker', async () => {
    const moved = new FakeGroup(world.start('coordinator-2'), cluster.broker(2))
    const one = join()
    await pollUntil([one], () => one.events.length === 1)
    cluster.coordinatorId = 2
    group.nextHeartbeatError = ErrorCode.NOT_COORDINATOR
    await world.loop.advance(300)
    await pollUntil([one], () => moved.members.size === 1 && one.consumer.state === 'stable')
    expect(cluster.broker(2).requestsOf(joinGroup).length).toBeGreaterThan(0)
  })

  it('retries a commit while the coordinator loads, and reports one that is refused', async () => {
    const one = join({ autoCommitIntervalMs: null })
    await pollUntil([one], () => one.events.length === 1)
    group.nextCommitError = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    await run(one.consumer.commit([{ topic: 't', partition: 0, offset: 7 }]))
    expect(group.commits.get('t-0')).toBe(7)
    group.nextCommitError = ErrorCode.OFFSET_METADATA_TOO_LARGE
    await expect(run(one.consumer.commit([{ topic: 't', partition: 0, offset: 8 }]))).rejects.toMatchObject({
      kafkaErrorName: 'OFFSET_METADATA_TOO_LARGE',
    })
  })

  it('commits nothing for a generation that has ended, when others may have read on from there', async () => {
    const one = join({ autoCommitIntervalMs: null })
    await pollUntil([one], () => one.events.length === 1)
    group.isLoading = true
    const commit = one.consumer.commit([{ topic: 't', partition: 0, offset: 7 }])
    commit.catch(() => undefined)
    group.startRebalance()
    await pollUntil([one], () => one.events.length === 3)
    group.isLoading = false
    await expect(run(commit)).rejects.toMatchObject({ kafkaErrorName: 'ILLEGAL_GENERATION' })
    expect(group.commits.size).toBe(0)
    await run(one.consumer.commit([{ topic: 't', partition: 0, offset: 8 }]))
    expect(one.events).toEqual(['+0,1,2,3', '-0,1,2,3', '+0,1,2,3'])
  })

  it('commits in the order that it is told to, also when the first has to be tried again', async () => {
    const one = join({ autoCommitIntervalMs: null })
    await pollUntil([one], () => one.events.length === 1)
    group.nextCommitError = ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    await run(Promise.all([7, 9].map((offset) => one.consumer.commit([{ topic: 't', partition: 0, offset }]))))
    expect(group.commits.get('t-0')).toBe(9)
  })

  it('stays who it is when a heartbeat of before it joined again fails', async () => {
    const one = join({ assignors: ['cooperative-sticky'], sessionTimeoutMs: 500 })
    await pollUntil([one], () => one.events.length === 1)
    const { memberId } = one.consumer
    cluster.broker(1).on(heartbeat, () => new Promise(() => undefined))
    await world.loop.advance(150)
    await addPartition()
    await run(one.consumer.poll())
    await world.loop.advance(700)
    cluster.broker(1).cutConnections()
    await pollUntil([one], () => one.consumer.assignment().length === 5)
    expect(one.events).toEqual(['+0,1,2,3', '+4'])
    expect(one.consumer.memberId).toBe(memberId)
  })

  it('leaves out what is paused, also what was fetched already', async () => {
    fill(0, 6)
    const one = join({ pollRecordsMax: 2 })
    await pollUntil([one], () => one.seen.length === 2)
    one.consumer.pause([{ topic: 't', partition: 0 }])
    await run(one.consumer.poll())
    one.consumer.resume([{ topic: 't', partition: 0 }])
    one.consumer.seek({ topic: 't', partition: 0 }, 5)
    await pollUntil([one], () => one.seen.length === 3)
    expect(one.seen).toEqual(['0/0', '0/1', '0/5'])
  })

  it('assigns anew when a topic has got more partitions', async () => {
    const one = join()
    await pollUntil([one], () => one.events.length === 1)
    await addPartition()
    await pollUntil([one], () => one.consumer.assignment().length === 5)
  })
})
