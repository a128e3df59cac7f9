/**
 * What may be done to what. The codes are Kafka's (AclOperation, ResourceType), as they appear in access control
 * entries and in the authorizedOperations bit fields of Metadata, DescribeCluster and DescribeGroups.
 */
import type { Principal } from './principal.ts'

export const AclOperation = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
} as const
export type AclOperation = (typeof AclOperation)[keyof typeof AclOperation]

export const ResourceType = {
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
} as const
export type ResourceType = (typeof ResourceType)[keyof typeof ResourceType]

/** The one name a cluster resource has. */
export const CLUSTER_NAME = 'kafka-cluster'

export interface Authorizer {
  allows(principal: Principal, operation: AclOperation, resourceType: ResourceType, resourceName: string): boolean
}

/** The authorizer of a cluster without access control: everyone may do everything. */
export const allowEverything: Authorizer = { allows: () => true }

/** The operations a resource knows, so that a bit field never claims one that makes no sense for it. */
const operationsOf: Readonly<Record<ResourceType, readonly AclOperation[]>> = {
  [ResourceType.TOPIC]: [
    AclOperation.READ,
    AclOperation.WRITE,
    AclOperation.CREATE,
    AclOperation.DELETE,
    AclOperation.ALTER,
    AclOperation.DESCRIBE,
    AclOperation.DESCRIBE_CONFIGS,
    AclOperation.ALTER_CONFIGS,
  ],
  [ResourceType.GROUP]: [
    AclOperation.READ,
    AclOperation.DELETE,
    AclOperation.DESCRIBE,
    AclOperation.DESCRIBE_CONFIGS,
    AclOperation.ALTER_CONFIGS,
  ],
  [ResourceType.CLUSTER]: [
    AclOperation.CREATE,
    AclOperation.ALTER,
    AclOperation.DESCRIBE,
    AclOperation.CLUSTER_ACTION,
    AclOperation.DESCRIBE_CONFIGS,
    AclOperation.ALTER_CONFIGS,
    AclOperation.IDEMPOTENT_WRITE,
  ],
  [ResourceType.TRANSACTIONAL_ID]: [AclOperation.DESCRIBE, AclOperation.WRITE],
}

/** The value of an authorizedOperations field that was not asked for. */
export const OPERATIONS_NOT_REQUESTED = -2147483648

/** The authorizedOperations bit field: bit n stands for the operation with code n. */
export function authorizedOperations(resourceType: ResourceType, allows: (operation: AclOperation) => boolean): number {
  let bits = 0
  for (const operation of operationsOf[resourceType]) {
    if (allows(operation)) bits |= 1 << operation
  }
  return bits
}
