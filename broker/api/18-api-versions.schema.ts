import { api, array, bool, int16, int32, int64, string } from '../wire/schema.ts'

/**
 * Which APIs and versions a broker serves.
 *
 * The response header is v0 in every version. A version newer than ours is answered in v0 format with
 * UNSUPPORTED_VERSION (KIP-511).
 */
export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: '0-4',
  advertised: '0-4',
  flexible: '3+',
  request: {
    clientSoftwareName: string({ versions: '3+' }),
    clientSoftwareVersion: string({ versions: '3+' }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32({ versions: '1+' }),
    supportedFeatures: array(
      {
        name: string(),
        minVersion: int16(),
        maxVersion: int16(),
      },
      { versions: '3+', tag: 0 },
    ),
    finalizedFeaturesEpoch: int64({ versions: '3+', tag: 1, default: -1 }),
    finalizedFeatures: array(
      {
        name: string(),
        maxVersionLevel: int16(),
        minVersionLevel: int16(),
      },
      { versions: '3+', tag: 2 },
    ),
    zkMigrationReady: bool({ versions: '3+', tag: 3 }),
  },
})
