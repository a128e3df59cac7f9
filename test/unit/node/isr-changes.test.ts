import { describe, expect, it } from 'vitest'
import { ControllerUnavailable } from '../../../broker/api/context.ts'
import type { alterPartition } from '../../../broker/api/56-alter-partition.schema.ts'
import type { IsrChange } from '../../../broker/cluster/in-sync-replicas.ts'
import type { Env } from '../../../broker/env/types.ts'
import { IsrChanges } from '../../../broker/node/isr-changes.ts'
import type { Partition } from '../../../broker/node/partition.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Encodable } from '../../../broker/wire/schema.ts'
import { manualTime } from '../../support/manual-time.ts'

type Request = Encodable<typeof alterPartition.request>

/** A partition that notes what it is told. */
function proposing(partition: number) {
  const isrChange: IsrChange = { leaderEpoch: 3, partitionEpoch: 8, isr: [{ brokerId: 1, brokerEpoch: -1 }], leaderRecoveryState: 0 }
  const told: string[] = []
  const double = {
    topic: 'orders',
    topicId: 'T',
    partition,
    isrChange: isrChange as IsrChange | null,
    isrChanged: (_: IsrChange, { partitionEpoch }: { partitionEpoch: number }) => void told.push(`changed ${partitionEpoch}`),
    isrChangeRefused: () => void told.push('refused'),
  }
  return { told, double, partition: double as unknown as Partition }
}

/** A controller that answers each partition with the next of `errors`, NONE when there are no more. */
function controller(errors: (ErrorCode | 'unavailable')[] = []) {
  const time = manualTime()
  const turns: (() => void)[] = []
  const requests: Request[] = []
  const call = async (_api: unknown, _version: number, request: Request) => {
    requests.push(request)
    if (errors[0] === 'unavailable') {
      errors.shift()
      throw new ControllerUnavailable('nobody')
    }
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex, leaderEpoch, partitionEpoch }) => ({
        partitionIndex,
        errorCode: errors.shift() ?? ErrorCode.NONE,
        leaderId: 1,
        leaderEpoch,
        isr: [1],
        leaderRecoveryState: 0,
        partitionEpoch: partitionEpoch + 1,
      })),
    }))
    return { errorCode: ErrorCode.NONE, topics }
  }
  const env = {
    timers: time.timers,
    scheduler: { afterTurn: (callback: () => void) => turns.push(callback) },
    log: { write: () => undefined },
  } as unknown as Env
  const changes = new IsrChanges(env, { nodeId: 1, brokerEpoch: () => 5, calls: { call } as never })
  const endTurn = async (): Promise<void> => {
    for (const turn of turns.splice(0)) turn()
    for (let step = 0; step < 10; step++) await Promise.resolve()
  }
  return { changes, requests, time, endTurn }
}

describe('changes of in-sync sets', () => {
  it('go to the controller together, with the epochs they are based on', async () => {
    const { changes, requests, endTurn } = controller()
    const [one, other] = [proposing(0), proposing(1)]
    changes.propose(one.partition)
    changes.propose(other.partition)
    await endTurn()
    expect(requests).toHaveLength(1)
    expect(requests[0]).toMatchObject({ brokerId: 1, brokerEpoch: 5 })
    expect(requests[0]!.topics[0]!.partitions).toMatchObject([
      { partitionIndex: 0, leaderEpoch: 3, partitionEpoch: 8 },
      { partitionIndex: 1, leaderEpoch: 3, partitionEpoch: 8 },
    ])
    expect([one.told, other.told]).toEqual([['changed 9'], ['changed 9']])
  })

  it.each([ErrorCode.INVALID_UPDATE_VERSION, ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.NEW_LEADER_ELECTED])(
    'are left to the metadata when the controller knows something newer (%i)',
    async (error) => {
      const { changes, requests, time, endTurn } = controller([error])
      const { partition, told } = proposing(0)
      changes.propose(partition)
      await endTurn()
      time.advance(1000)
      await endTurn()
      expect([requests.length, told]).toEqual([1, []])
    },
  )

  it('are given up when a member may not be in it', async () => {
    const { changes, requests, endTurn } = controller([ErrorCode.INELIGIBLE_REPLICA])
    const { partition, told } = proposing(0)
    changes.propose(partition)
    await endTurn()
    expect([requests.length, told]).toEqual([1, ['refused']])
  })

  it.each([ErrorCode.NOT_CONTROLLER, 'unavailable'] as const)(
    'are sent again when nobody knows what became of them (%s)',
    async (error) => {
      const { changes, requests, time, endTurn } = controller([error])
      const { partition, told } = proposing(0)
      changes.propose(partition)
      await endTurn()
      expect(told).toEqual([])
      time.advance(50)
      await endTurn()
      expect([requests.length, told]).toEqual([2, ['changed 9']])
    },
  )

  it('are not sent when the partition has withdrawn them', async () => {
    const { changes, requests, endTurn } = controller()
    const { partition, double } = proposing(0)
    changes.propose(partition)
    double.isrChange = null
    await endTurn()
    expect(requests).toEqual([])
  })
})
