/**
 * AlterPartition v2-3, from a partition's leader to the active controller: its proposed in-sync set, as compare-and-set on leader
 * epoch and partition epoch (cluster/alter-partition.ts). v3 carries each member's broker epoch, so that one which restarted
 * meanwhile is not taken for in sync (KIP-903). CLUSTER_AUTHORIZATION_FAILED in another broker's name.
 */
import { alterPartitions, type AlterPartitionAnswer, type IsrProposal } from '../cluster/alter-partition.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { Decoded } from '../wire/schema.ts'
import { alterPartition } from './56-alter-partition.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'
import { unlessNotController } from './not-controller.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof alterPartition.request>

export const alterPartitionApi = defineApi(alterPartition, {
  listeners: 'internal',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const { brokerId, brokerEpoch } = request
    if (!speaksFor(context, brokerId)) return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] }
    const proposals = proposalsOf(request)
    const refused = (errorCode: ErrorCode): AlterPartitionAnswer => ({ errorCode, partitions: [] })
    const answer = await unlessNotController(
      () => controller.write((input) => alterPartitions(input, { brokerId, brokerEpoch, proposals })),
      refused,
    )
    if (answer.errorCode !== ErrorCode.NONE) return { throttleTimeMs: 0, errorCode: answer.errorCode, topics: [] }
    const answers = [...answer.partitions]
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex }) => {
        const { errorCode, state } = answers.shift()!
        return {
          partitionIndex,
          errorCode,
          leaderId: state?.leader ?? -1,
          leaderEpoch: state?.leaderEpoch ?? -1,
          isr: state?.isr ?? [],
          leaderRecoveryState: state?.leaderRecoveryState ?? 0,
          partitionEpoch: state?.partitionEpoch ?? -1,
        }
      }),
    }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, topics }
  },
})

function proposalsOf(request: Request): readonly IsrProposal[] {
  return request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex, leaderEpoch, partitionEpoch, leaderRecoveryState, newIsr, newIsrWithEpochs }) => {
      const members = newIsrWithEpochs.length > 0 ? newIsrWithEpochs : newIsr.map((brokerId) => ({ brokerId, brokerEpoch: -1 }))
      return { topicId, partition: partitionIndex, leaderEpoch, partitionEpoch, leaderRecoveryState, newIsr: members }
    }),
  )
}
