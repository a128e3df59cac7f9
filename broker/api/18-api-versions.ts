/**
 * ApiVersions v0-4: what this listener serves, and the cluster's features.
 *
 * Answered before authentication. v3: the client names its software, which must match the pattern below, and supported
 * and finalized features are listed. v0-3 leave out supported features whose minimum is 0, which clients of that time
 * cannot read (KAFKA-17011); v4 lists them. A request newer than v4 never gets here: dispatch answers it.
 */
import { ErrorCode } from '../wire/errors.ts'
import { supportedFeatures } from '../cluster/features.ts'
import { apiVersions } from './18-api-versions.schema.ts'
import type { BrokerServices } from './context.ts'
import { defineApi } from './registry.ts'

/** KIP-511. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
const SOFTWARE_SINCE = 3
const ZERO_MINIMUM_SINCE = 4

export const apiVersionsApi = defineApi(apiVersions, {
  listeners: 'everywhere',
  handle(request, context, services: Pick<BrokerServices, 'image' | 'advertisedApis'>) {
    if (context.apiVersion >= SOFTWARE_SINCE) {
      const { clientSoftwareName, clientSoftwareVersion } = request
      if (!softwarePattern.test(clientSoftwareName) || !softwarePattern.test(clientSoftwareVersion)) {
        return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
      }
      context.describeClient(clientSoftwareName, clientSoftwareVersion)
    }
    const image = services.image()
    return {
      errorCode: ErrorCode.NONE,
      apiKeys: services.advertisedApis(context.listener),
      supportedFeatures: [...supportedFeatures]
        .filter(([, range]) => range.min > 0 || context.apiVersion >= ZERO_MINIMUM_SINCE)
        .map(([name, range]) => ({ name, minVersion: range.min, maxVersion: range.max })),
      finalizedFeaturesEpoch: image.offset,
      finalizedFeatures: [...image.features].map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    }
  },
})
