/**
 * AlterReplicaLogDirs v1-2: moves replicas to another log directory of this broker. A broker here has exactly one, so there is
 * nowhere to move to: a replica that is asked to be where it is already succeeds, any other path is LOG_DIR_NOT_FOUND, and a
 * replica this broker does not have REPLICA_NOT_AVAILABLE.
 */
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { alterReplicaLogDirs } from './34-alter-replica-log-dirs.schema.ts'
import type { BrokerServices } from './context.ts'
import { defineApi } from './registry.ts'

export const alterReplicaLogDirsApi = defineApi(alterReplicaLogDirs, {
  listeners: 'clients',
  handle(request, context, { partitions }: Pick<BrokerServices, 'partitions'>) {
    const isAllowed = context.authorize(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME)
    const hosted = new Set([...partitions.hosted()].map(({ topic, partition }) => `${topic}/${partition}`))
    const errorOf = (path: string, topic: string, partition: number): ErrorCode => {
      if (!isAllowed) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED
      if (path !== partitions.logDirectory) return ErrorCode.LOG_DIR_NOT_FOUND
      return hosted.has(`${topic}/${partition}`) ? ErrorCode.NONE : ErrorCode.REPLICA_NOT_AVAILABLE
    }
    const results = request.dirs.flatMap(({ path, topics }) =>
      topics.map(({ name, partitions: indexes }) => ({
        topicName: name,
        partitions: indexes.map((partitionIndex) => ({ partitionIndex, errorCode: errorOf(path, name, partitionIndex) })),
      })),
    )
    return { throttleTimeMs: 0, results }
  },
})
