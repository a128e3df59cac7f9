import { describe, expect, it } from 'vitest'
import type { describeConfigs } from '../../../broker/api/32-describe-configs.schema.ts'
import { describeConfigsApi } from '../../../broker/api/32-describe-configs.ts'
import { applyRecords } from '../../../broker/cluster/apply-records.ts'
import { configRecord } from '../../../broker/cluster/metadata-records.ts'
import { topicSettings } from '../../../broker/log/topic-config.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import type { Encodable } from '../../../broker/wire/schema.ts'
import { imageOf, partitionState } from '../../support/images.ts'
import { requestContext } from '../../support/request-context.ts'

const bare = imageOf([{ id: 1 }], [{ name: 'orders', id: 'b3JkZXJzLW9yZGVycy0wMA', partitions: [partitionState()] }])
const { image } = applyRecords(
  bare,
  [
    configRecord(2, 'orders', 'retention.ms', '1'),
    configRecord(4, '1', 'log.retention.ms', '2'),
    configRecord(4, '', 'log.retention.ms', '3'),
    configRecord(4, '', 'log.retention.bytes', '7'),
  ],
  { offset: 200, epoch: 1 },
)
const services = {
  nodeId: 1,
  image: () => image,
  settings: { overrides: { 'log.retention.ms': '4', 'num.partitions': '8' } } as never,
}

interface Asked {
  readonly type?: number
  readonly name?: string
  readonly keys?: string[] | null
  readonly synonyms?: boolean
  readonly documentation?: boolean
  readonly authorize?: () => boolean
}

function ask({ type = 2, name = 'orders', keys = null, synonyms = false, documentation = false, authorize = () => true }: Asked) {
  const request = {
    resources: [{ resourceType: type, resourceName: name, configurationKeys: keys }],
    includeSynonyms: synonyms,
    includeDocumentation: documentation,
  }
  const response = describeConfigsApi.handle!(request as never, requestContext({ apiVersion: 4, authorize }), services)
  return (response as Encodable<typeof describeConfigs.response>).results[0]!
}

describe('DescribeConfigs', () => {
  it('lists every topic setting, and what it overrides down to the default', () => {
    const { errorCode, configs } = ask({ synonyms: true })
    expect(errorCode).toBe(0)
    expect(configs).toHaveLength(topicSettings.length)
    const retention = configs.find(({ name }) => name === 'retention.ms')!
    expect(retention).toMatchObject({
      value: '1',
      configSource: 1,
      readOnly: false,
      isSensitive: false,
      configType: 5,
      documentation: null,
    })
    expect(retention.synonyms).toEqual([
      { name: 'retention.ms', value: '1', source: 1 },
      { name: 'log.retention.ms', value: '2', source: 2 },
      { name: 'log.retention.ms', value: '3', source: 3 },
      { name: 'log.retention.ms', value: '4', source: 4 },
      { name: 'log.retention.ms', value: '604800000', source: 5 },
    ])
  })

  it('lists the keys asked for, and leaves out those nobody knows', () => {
    const { configs } = ask({ keys: ['retention.bytes', 'no.such'], documentation: true })
    expect(configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([['retention.bytes', '7', 3]])
    expect(configs[0]!.synonyms).toEqual([])
    expect(configs[0]!.documentation).toMatch(/\w/)
  })

  it('describes this broker: what may change, what may not, and who it is', () => {
    const { configs } = ask({ type: 4, name: '1' })
    const find = (name: string) => configs.find((config) => config.name === name)
    expect(find('num.partitions')).toMatchObject({ value: '8', configSource: 4, readOnly: true })
    expect(find('auto.create.topics.enable')).toMatchObject({ value: 'true', configSource: 5, configType: 1 })
    expect(find('log.retention.ms')).toMatchObject({ value: '2', configSource: 2, readOnly: false })
    expect(find('node.id')).toMatchObject({ value: '1', readOnly: true })
    for (const name of ['default.replication.factor', 'min.insync.replicas', 'message.max.bytes', 'offsets.topic.replication.factor']) {
      expect(find(name)).toBeDefined()
    }
  })

  it('describes what is set for all brokers, and only that', () => {
    const { configs } = ask({ type: 4, name: '' })
    expect(configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
      ['log.retention.bytes', '7', 3],
      ['log.retention.ms', '3', 3],
    ])
  })

  it('refuses another broker, unknown topics, other kinds of resources, and who may not', () => {
    expect(ask({ type: 4, name: '2' })).toMatchObject({ errorCode: ErrorCode.INVALID_REQUEST, configs: [] })
    expect(ask({ name: 'absent' }).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(ask({ name: 'not legal' }).errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    expect(ask({ type: 8, name: '1' }).errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(ask({ authorize: () => false }).errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    expect(ask({ type: 4, name: '1', authorize: () => false }).errorCode).toBe(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  })
})
