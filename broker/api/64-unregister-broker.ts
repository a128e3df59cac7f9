/**
 * UnregisterBroker v0, at the controller: forgets a broker that will not come back. What it led moves to other replicas first;
 * it stays in the replica lists of its partitions. BROKER_ID_NOT_REGISTERED for one that is not known.
 */
import { unregisterBroker as decideUnregistration } from '../cluster/broker-control.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { unregisterBroker } from './64-unregister-broker.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const unregisterBrokerApi = defineApi(unregisterBroker, {
  listeners: 'everywhere',
  async handle({ brokerId }, context, { controller }: Pick<ControllerServices, 'controller'>) {
    if (!context.authorize(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Altering the cluster is not allowed.' }
    }
    const answer = await controller.write((input) => decideUnregistration(input, brokerId))
    return { throttleTimeMs: 0, errorCode: answer.errorCode, errorMessage: 'errorMessage' in answer ? answer.errorMessage : null }
  },
})
