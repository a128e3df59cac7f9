import { describe, expect, it } from 'vitest'
import { alterConfigs, replaceConfigs, type ConfigRules } from '../../../broker/cluster/config-control.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { initialFeatureLevels } from '../../../broker/cluster/features.ts'
import { TestCluster } from './cluster-fixture.ts'

const rules: ConfigRules = {
  problem: (_type, settings) => (settings.get('number') === 'x' ? 'number must be a number' : null),
  isList: (_type, name) => name === 'list',
  defaultValue: () => 'base',
}
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3] as const
const TOPIC = ConfigResourceType.TOPIC

function withTopic() {
  const cluster = new TestCluster().start(1)
  cluster.create({
    name: 'a',
    configs: [
      { name: 'kept', value: '1' },
      { name: 'number', value: '2' },
    ],
  })
  return cluster
}

const edit = (resourceName: string, ...edits: readonly (readonly [string, number, string | null])[]) => ({
  resourceType: TOPIC,
  resourceName,
  edits: edits.map(([name, operation, value]) => ({ name, operation, value })),
})

describe('incremental changes', () => {
  it('change what is named and keep the rest', () => {
    const cluster = withTopic()
    cluster.decide(alterConfigs(cluster.input, [edit('a', ['number', SET, '3'], ['new', SET, '4'])], rules))
    expect(cluster.image.configOf(TOPIC, 'a')).toEqual(
      new Map([
        ['kept', '1'],
        ['number', '3'],
        ['new', '4'],
      ]),
    )
    cluster.decide(alterConfigs(cluster.input, [edit('a', ['number', DELETE, null])], rules))
    expect(cluster.image.configOf(TOPIC, 'a')).toEqual(
      new Map([
        ['kept', '1'],
        ['new', '4'],
      ]),
    )
  })

  it('are decided in one pass, however many resources, settings and list items a request names', () => {
    const cluster = withTopic()
    const names = Array.from({ length: 200_000 }, (_, index) => `name-${index}`)
    const absent = cluster.decide(
      alterConfigs(
        cluster.input,
        names.map((name) => edit(name, ['new', SET, '1'])),
        rules,
      ),
    )
    expect(absent.every(({ errorCode }) => errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)).toBe(true)
    const deletions = { ...edit('a'), edits: names.map((name) => ({ name, operation: DELETE, value: null })) }
    expect(cluster.decide(alterConfigs(cluster.input, [deletions], rules))).toEqual([{ errorCode: 0 }])
    expect(cluster.decide(alterConfigs(cluster.input, [edit('a', ['list', SUBTRACT, names.join(',')])], rules))).toEqual([{ errorCode: 0 }])
  })

  it('are refused for values that no record could hold', () => {
    const cluster = withTopic()
    const [appended] = cluster.decide(alterConfigs(cluster.input, [edit('a', ['list', APPEND, 'x'.repeat(32_763)])], rules))
    expect(appended).toEqual({
      errorCode: ErrorCode.INVALID_CONFIG,
      errorMessage: 'The value of list has 32768 bytes; allowed are 32767 at most.',
    })
    expect(cluster.decide(alterConfigs(cluster.input, [edit('a', ['list', SET, 'ä'.repeat(16_383)])], rules))).toEqual([{ errorCode: 0 }])
  })

  it('append to and subtract from lists, starting from the default', () => {
    const cluster = withTopic()
    cluster.decide(alterConfigs(cluster.input, [edit('a', ['list', APPEND, 'x,y'])], rules))
    cluster.decide(alterConfigs(cluster.input, [edit('a', ['list', APPEND, 'y,z'])], rules))
    expect(cluster.image.configOf(TOPIC, 'a').get('list')).toBe('base,x,y,z')
    cluster.decide(alterConfigs(cluster.input, [edit('a', ['list', SUBTRACT, 'base,y'])], rules))
    expect(cluster.image.configOf(TOPIC, 'a').get('list')).toBe('x,z')
    expect(alterConfigs(cluster.input, [edit('a', ['number', APPEND, '1'])], rules).answer[0]!.errorCode).toBe(ErrorCode.INVALID_CONFIG)
  })

  it('take effect wholly or not at all for a resource, and others are not held up by it', () => {
    const cluster = withTopic()
    cluster.create({ name: 'b' })
    const answer = cluster.decide(
      alterConfigs(cluster.input, [edit('a', ['kept', SET, '9'], ['number', SET, 'x']), edit('b', ['kept', SET, '9'])], rules),
    )
    expect(answer).toEqual([
      { errorCode: ErrorCode.INVALID_CONFIG, errorMessage: 'number must be a number' },
      { errorCode: ErrorCode.NONE },
    ])
    expect(cluster.image.configOf(TOPIC, 'a').get('kept')).toBe('1')
    expect(cluster.image.configOf(TOPIC, 'b').get('kept')).toBe('9')
  })

  it('are refused for what is not there, named twice, or makes no sense', () => {
    const cluster = withTopic()
    const code = (...resources: Parameters<typeof alterConfigs>[1]) => alterConfigs(cluster.input, resources, rules).answer[0]!.errorCode
    expect(code(edit('none', ['kept', SET, '1']))).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect(code(edit('a', ['kept', SET, '1']), edit('a', ['kept', SET, '1']))).toBe(ErrorCode.INVALID_REQUEST)
    expect(code(edit('a', ['kept', SET, '1'], ['kept', DELETE, null]))).toBe(ErrorCode.INVALID_REQUEST)
    expect(code(edit('a', ['kept', SET, null]))).toBe(ErrorCode.INVALID_REQUEST)
    expect(code(edit('a', ['kept', 7, '1']))).toBe(ErrorCode.INVALID_REQUEST)
    expect(code({ resourceType: 16, resourceName: 'metrics', edits: [] })).toBe(ErrorCode.INVALID_REQUEST)
    expect(code({ resourceType: ConfigResourceType.BROKER, resourceName: '9', edits: [] })).toBe(ErrorCode.BROKER_ID_NOT_REGISTERED)
    expect(code({ resourceType: ConfigResourceType.BROKER, resourceName: 'one', edits: [] })).toBe(ErrorCode.INVALID_REQUEST)
  })

  it('reach one broker, or all of them by the empty name', () => {
    const cluster = withTopic()
    const broker = (resourceName: string, value: string) => ({
      resourceType: ConfigResourceType.BROKER,
      resourceName,
      edits: [{ name: 'kept', operation: SET, value }],
    })
    cluster.decide(alterConfigs(cluster.input, [broker('', 'all'), broker('1', 'one')], rules))
    expect(cluster.image.configOf(ConfigResourceType.BROKER, '').get('kept')).toBe('all')
    expect(cluster.image.configOf(ConfigResourceType.BROKER, '1').get('kept')).toBe('one')
  })
})

it('the legacy call resets what it does not name', () => {
  const cluster = withTopic()
  cluster.decide(replaceConfigs(cluster.input, [edit('a', ['new', SET, '4'])], rules))
  expect(cluster.image.configOf(TOPIC, 'a')).toEqual(new Map([['new', '4']]))
})

describe('min.insync.replicas, with eligible leader replicas', () => {
  const NAME = 'min.insync.replicas'
  const ofBrokers = (resourceName: string, operation: number, value: string | null) => ({
    resourceType: ConfigResourceType.BROKER,
    resourceName,
    edits: [{ name: NAME, operation, value }],
  })

  function withEligible() {
    const cluster = new TestCluster(initialFeatureLevels).start(1, 2, 3)
    cluster.decide(alterConfigs(cluster.input, [ofBrokers('', SET, '2')], rules))
    cluster.create({ name: 'a', partitionCount: -1, replicationFactor: -1, assignments: new Map([[0, [1, 2, 3]]]) })
    for (const id of [3, 2]) cluster.fence(id)
    expect(cluster.image.partition('a', 0)).toMatchObject({ isr: [1], eligibleLeaderReplicas: [2] })
    return cluster
  }

  it('lowered, ends the eligibility of replicas the leader may now commit without', () => {
    const cluster = withEligible()
    cluster.decide(alterConfigs(cluster.input, [edit('a', [NAME, SET, '1'])], rules))
    expect(cluster.image.partition('a', 0)).toMatchObject({ isr: [1], eligibleLeaderReplicas: [], partitionEpoch: 3 })
  })

  it('lowered for all brokers, does so for topics without a setting of their own', () => {
    const cluster = withEligible()
    cluster.decide(alterConfigs(cluster.input, [ofBrokers('', SET, '1')], rules))
    expect(cluster.image.partition('a', 0)).toMatchObject({ eligibleLeaderReplicas: [] })
  })

  it('raised, or lowered where nobody is in sync, leaves it as it is', () => {
    const cluster = withEligible()
    cluster.decide(alterConfigs(cluster.input, [edit('a', [NAME, SET, '3'])], rules))
    expect(cluster.image.partition('a', 0)).toMatchObject({ eligibleLeaderReplicas: [2] })
    cluster.fence(1)
    cluster.decide(alterConfigs(cluster.input, [edit('a', [NAME, SET, '1'])], rules))
    expect(cluster.image.partition('a', 0)).toMatchObject({ isr: [], eligibleLeaderReplicas: [1, 2] })
  })

  it('is one value for all brokers that may be changed, not removed, and the legacy call keeps it', () => {
    const cluster = withEligible()
    const code = (...resources: Parameters<typeof alterConfigs>[1]) => alterConfigs(cluster.input, resources, rules).answer[0]!.errorCode
    expect(code(ofBrokers('1', SET, '1'))).toBe(ErrorCode.INVALID_CONFIG)
    expect(code(ofBrokers('', DELETE, null))).toBe(ErrorCode.INVALID_CONFIG)
    const other = { resourceType: ConfigResourceType.BROKER, resourceName: '', edits: [{ name: 'kept', operation: SET, value: '1' }] }
    cluster.decide(replaceConfigs(cluster.input, [other], rules))
    expect(cluster.image.configOf(ConfigResourceType.BROKER, '').get(NAME)).toBe('2')
  })
})
