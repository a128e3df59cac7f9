import { describe, expect, it } from 'vitest'
import { fetchSnapshotApi } from '../../../broker/api/59-fetch-snapshot.ts'
import type { RequestContext } from '../../../broker/api/context.ts'
import type { QuorumServices } from '../../../broker/api/controller-context.ts'
import { askQuorum } from '../../../broker/api/quorum-requests.ts'
import { METADATA_TOPIC } from '../../../broker/quorum/metadata-topic.ts'
import type { QuorumRequest, ReplicaKey } from '../../../broker/quorum/types.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { requestContext } from '../../support/request-context.ts'

const replica = { id: 1002, directoryId: 'b' }
const fields = { clusterId: null, epoch: 3, leaderId: 1002, preferredCandidates: [] }
const requests: readonly QuorumRequest[] = [
  { ...fields, api: 'vote', voter: replica, candidate: replica, lastEpoch: 0, lastOffset: 0, preVote: false },
  { ...fields, api: 'beginQuorumEpoch', voter: replica },
  { ...fields, api: 'endQuorumEpoch' },
  { ...fields, api: 'fetch', replica, fetchOffset: 0, lastFetchedEpoch: 0, highWatermark: 0, maxWaitMs: 0, sequence: 0 },
]

const from = (node: number, listener = 'INTERNAL'): Pick<RequestContext, 'listener' | 'principal'> => ({
  listener,
  principal: { type: 'Node', name: String(node) },
})

describe('a request of the quorum', () => {
  it.each(requests.map((request) => [request.api, request] as const))('%s is believed of its own sender alone', async (_api, request) => {
    const handled: QuorumRequest[] = []
    const quorum = {
      handle: async (asked: QuorumRequest) => {
        handled.push(asked)
        return { api: asked.api } as never
      },
    } as unknown as QuorumServices
    const forged = requestContext({ apiVersion: 0, ...from(1003) })
    expect(await askQuorum(request, forged, quorum)).toBeNull()
    expect(forged.asked).toEqual(['close: a quorum request in the name of node 1002'])
    expect(handled).toEqual([])
    expect(await askQuorum(request, requestContext({ apiVersion: 0, ...from(1002) }), quorum)).toEqual({ api: request.api })
  })
})

describe('FetchSnapshot', () => {
  const ask = async (node: number) => {
    const contacts: { readonly replica: ReplicaKey; readonly epoch: number }[] = []
    const quorum = {
      state: { role: { name: 'leader' }, epoch: 3, leaderId: 1001 },
      readSnapshot: async () => ({ sizeBytes: 4, bytes: Buffer.from('part') }),
      snapshotAsked: (asking: ReplicaKey, epoch: number) => void contacts.push({ replica: asking, epoch }),
    } as unknown as QuorumServices
    const partition = { partition: 0, currentLeaderEpoch: 3, snapshotId: { endOffset: 9, epoch: 2 }, position: 0, replicaDirectoryId: 'b' }
    const request = { clusterId: 'c', replicaId: 1002, maxBytes: 1_000, topics: [{ name: METADATA_TOPIC, partitions: [partition] }] }
    const context = requestContext({ apiVersion: 1, ...from(node) })
    return { answer: await fetchSnapshotApi.handle!(request, context, { quorum, clusterId: 'c' }), contacts }
  }

  it('is answered with a part, and is a sign of life of who asks', async () => {
    const { answer, contacts } = await ask(1002)
    expect(answer).toMatchObject({ errorCode: 0, topics: [{ partitions: [{ errorCode: 0, size: 4 }] }] })
    expect(contacts).toEqual([{ replica, epoch: 3 }])
  })

  it("in another node's name is refused, and no sign of anything", async () => {
    const { answer, contacts } = await ask(1003)
    expect(answer).toMatchObject({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] })
    expect(contacts).toEqual([])
  })
})
