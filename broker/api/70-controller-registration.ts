/** ControllerRegistration v0, from a standing-by controller to the active one: where it listens and what it supports (KIP-919). */
import { registerControllerRecord } from '../cluster/metadata-records.ts'
import { ErrorCode } from '../wire/errors.ts'
import { controllerRegistration } from './70-controller-registration.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { speaksFor } from './node-identity.ts'
import { unlessNotController } from './not-controller.ts'
import { defineApi } from './registry.ts'

export const controllerRegistrationApi = defineApi(controllerRegistration, {
  listeners: 'internal',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    const { controllerId, incarnationId, listeners, features } = request
    if (!speaksFor(context, controllerId)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'A controller registers itself only.' }
    }
    const record = registerControllerRecord({ controllerId, incarnationId, zkMigrationReady: false, endPoints: listeners, features })
    const carryOut = (): Promise<ErrorCode> => controller.write(() => ({ records: [record], answer: ErrorCode.NONE }))
    const errorCode = await unlessNotController(carryOut, (refused) => refused)
    return { throttleTimeMs: 0, errorCode, errorMessage: null }
  },
})
