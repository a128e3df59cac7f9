import { describe, expect, it } from 'vitest'
import { NodeConfigError, parseNodeConfig } from '../../../broker/node/config.ts'

const valid = {
  role: 'broker',
  nodeId: 1,
  clusterId: 'c',
  dataDirectory: '/data',
  listeners: [
    { name: 'CLIENT', host: '127.0.0.1', port: 9092 },
    { name: 'INTERNAL', host: '127.0.0.1', port: 0 },
  ],
  internalSecret: 's3cret',
  controllers: [],
  voters: [{ id: 1001, directoryId: 'd' }],
  logLevel: 'info',
  configOverrides: { 'num.partitions': 3 },
}

const parse = (change: object) => parseNodeConfig(JSON.stringify({ ...valid, ...change }))

describe('the configuration of a node', () => {
  it('is read', () => {
    const config = parse({})
    expect(config).toMatchObject({ role: 'broker', nodeId: 1, controllers: [], configOverrides: { 'num.partitions': '3' } })
    expect(config.listeners).toHaveLength(2)
  })

  it('of a broker may carry that of a voter in the same process, and of nothing else', () => {
    const voter = { ...valid, role: 'controller', nodeId: 1001, dataDirectory: '/data/1001' }
    expect(parse({ companion: voter }).companion).toMatchObject({ role: 'controller', nodeId: 1001 })
    expect(() => parse({ companion: valid })).toThrow(NodeConfigError)
    expect(() => parse({ companion: { ...voter, companion: voter } })).toThrow(NodeConfigError)
    expect(() => parse({ role: 'controller', companion: voter })).toThrow(NodeConfigError)
  })

  it.each([
    ['role', { role: 'zookeeper' }, /role must be "broker" or "controller", not "zookeeper"/],
    ['node id', { nodeId: 1.5 }, /nodeId must be a whole number/],
    ['empty directory', { dataDirectory: '' }, /dataDirectory must be a text/],
    ['missing INTERNAL listener', { listeners: [{ name: 'CLIENT', host: 'h', port: 1 }] }, /one named INTERNAL/],
    ['port', { listeners: [{ name: 'INTERNAL', host: 'h', port: 70_000 }] }, /port must be a whole number from 0 to 65535, not 70000/],
    ['log level', { logLevel: 'loud' }, /logLevel must be one of debug, info, warn, error/],
    ['unknown setting', { configOverrides: { 'no.such': '1' } }, /Unknown setting "no.such"/],
    ['bad value', { configOverrides: { 'num.partitions': 'many' } }, /Invalid value "many" for num.partitions: must be a whole number/],
    ['a topic default', { configOverrides: { 'log.retention.ms': 'x' } }, /Invalid value "x" for log.retention.ms/],
  ])('is refused with the field, the value and what is allowed: %s', (_what, change, message) => {
    expect(() => parse(change)).toThrow(NodeConfigError)
    expect(() => parse(change)).toThrow(message)
  })

  it('is refused when it is no JSON, and never shows the secret', () => {
    expect(() => parseNodeConfig('{')).toThrow(NodeConfigError)
    expect(() => parse({ internalSecret: ['hunter2'] })).toThrow(/internalSecret must be .* not what was given/)
  })
})
