import { describe, expect, it } from 'vitest'
import { apiVersionsApi } from '../../../broker/api/18-api-versions.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { imageOf } from '../../support/images.ts'
import { requestContext } from '../../support/request-context.ts'

const services = { image: () => imageOf([{ id: 1 }]), advertisedApis: () => [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }

function ask(apiVersion: number, clientSoftwareName = 'librdkafka', clientSoftwareVersion = '2.0.2') {
  const context = requestContext({ apiVersion })
  const response = apiVersionsApi.handle!({ clientSoftwareName, clientSoftwareVersion }, context, services) as {
    errorCode: number
    apiKeys: unknown[]
    supportedFeatures?: { name: string; minVersion: number }[]
  }
  return { response, context }
}

describe('ApiVersions', () => {
  it('lists what the listener serves, and remembers the client', () => {
    const { response, context } = ask(3)
    expect(response.errorCode).toBe(ErrorCode.NONE)
    expect(response.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
    expect(context.asked).toEqual(['client librdkafka 2.0.2'])
  })

  it('leaves features whose minimum is 0 out before v4', () => {
    const names = (version: number) => ask(version).response.supportedFeatures!.map(({ name }) => name)
    expect(names(3)).toEqual(['metadata.version'])
    expect(names(4)).toEqual(['metadata.version', 'kraft.version', 'eligible.leader.replicas.version'])
  })

  it.each(['', '-kafka', 'kafka-', 'ka fka', 'kafka\n', 'k<script>'])('refuses the software name %j from v3', (name) => {
    const { response, context } = ask(3, name)
    expect(response).toEqual({ errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] })
    expect(context.asked).toEqual([])
  })

  it('does not look at the software before v3', () => {
    expect(ask(2, '', '').response.errorCode).toBe(ErrorCode.NONE)
  })
})
