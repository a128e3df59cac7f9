/**
 * AlterPartitionReassignments v0-1, at the controller (KIP-455): moves partitions to the replicas named, or, with null, cancels
 * what is under way. Answered once the move has begun; ListPartitionReassignments shows what is left of it. v1: the replication
 * factor may be held fast.
 */
import { alterReassignments } from '../cluster/reassignment.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { alterPartitionReassignments } from './45-alter-partition-reassignments.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const alterPartitionReassignmentsApi = defineApi(alterPartitionReassignments, {
  listeners: 'everywhere',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const { allowReplicationFactorChange } = request
    if (!context.authorize(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME)) {
      const errorMessage = 'Altering the cluster is not allowed.'
      return {
        throttleTimeMs: 0,
        allowReplicationFactorChange,
        errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
        errorMessage,
        responses: [],
      }
    }
    const wanted = request.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, replicas }) => ({ topic: name, partition: partitionIndex, replicas })),
    )
    const answers = [...(await controller.write((input) => alterReassignments(input, wanted, { allowReplicationFactorChange })))]
    const responses = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        const answer = answers.shift()!
        return { partitionIndex, errorCode: answer.errorCode, errorMessage: 'errorMessage' in answer ? answer.errorMessage : null }
      }),
    }))
    return { throttleTimeMs: 0, allowReplicationFactorChange, errorCode: ErrorCode.NONE, errorMessage: null, responses }
  },
})
