/** ListPartitionReassignments v0, at the active controller (KIP-455): partitions being moved, of those named or, with null, of all. */
import { ongoingReassignments, type OngoingReassignment } from '../cluster/reassignment.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { listPartitionReassignments } from './46-list-partition-reassignments.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const listPartitionReassignmentsApi = defineApi(listPartitionReassignments, {
  listeners: 'everywhere',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    if (!context.authorize(AclOperation.DESCRIBE, ResourceType.CLUSTER, CLUSTER_NAME)) {
      const errorMessage = 'Describing the cluster is not allowed.'
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage, topics: [] }
    }
    const named =
      request.topics?.flatMap(({ name, partitionIndexes }) => partitionIndexes.map((partition) => ({ topic: name, partition }))) ?? null
    // As a decision that writes nothing: answered by the active controller, from what it has decided so far.
    const ongoing = await controller.write(({ image }) => ({ records: [], answer: ongoingReassignments(image, named) }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics: byTopic(ongoing) }
  },
})

function byTopic(ongoing: readonly OngoingReassignment[]) {
  return [...Map.groupBy(ongoing, ({ topic }) => topic)].map(([name, moves]) => ({
    name,
    partitions: moves.map(({ partition, replicas, addingReplicas, removingReplicas }) => ({
      partitionIndex: partition,
      replicas,
      addingReplicas,
      removingReplicas,
    })),
  }))
}
