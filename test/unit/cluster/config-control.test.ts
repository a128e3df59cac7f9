import { describe, expect, it } from 'vitest'
import { alterConfigs, replaceConfigs, type ConfigRules } from '../../../broker/cluster/config-control.ts'
import { ConfigResourceType } from '../../../broker/cluster/image.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { TestCluster } from './cluster-fixture.ts'

const rules: ConfigRules = {
  problem: (_type, settings) => (settings.get('number') === 'x' ? 'number must be a number' : null),
  isList: (_type, name) => name === 'list',
  defaultValue: () => 'base',
}
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
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
