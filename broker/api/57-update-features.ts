/**
 * UpdateFeatures v0-2, at the controller (KIP-584): finalizes feature levels, all of them or none. v0 says `allowDowngrade`, v1+ an
 * upgrade type and dry runs. v0-1 answer per feature; v2 with one error for all.
 */
import { updateFeatures as decideFeatures, UpgradeType } from '../cluster/feature-control.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { updateFeatures } from './57-update-features.schema.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const updateFeaturesApi = defineApi(updateFeatures, {
  listeners: 'everywhere',
  async handle(request, context, { controller }: Pick<ControllerServices, 'controller'>) {
    if (!context.authorize(AclOperation.ALTER, ResourceType.CLUSTER, CLUSTER_NAME)) {
      return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: 'Altering the cluster is not allowed.' }
    }
    const updates = request.featureUpdates.map(({ feature, maxVersionLevel, allowDowngrade, upgradeType }) => ({
      feature,
      level: maxVersionLevel,
      upgradeType: context.apiVersion === 0 && allowDowngrade ? UpgradeType.SAFE_DOWNGRADE : upgradeType,
    }))
    const { overall, results } = await controller.write((input) => decideFeatures(input, updates), { isRehearsal: request.validateOnly })
    const perFeature = context.apiVersion < 2
    return {
      throttleTimeMs: 0,
      errorCode: perFeature ? ErrorCode.NONE : overall.errorCode,
      errorMessage: perFeature || !('errorMessage' in overall) ? null : overall.errorMessage,
      results: results.map((result, index) => ({
        feature: updates[index]!.feature,
        errorCode: result.errorCode,
        errorMessage: 'errorMessage' in result ? result.errorMessage : null,
      })),
    }
  },
})
