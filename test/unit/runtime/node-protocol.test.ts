import { expect, expectTypeOf, test } from 'vitest'
import type { NodeConfig as ReadByNode } from '../../../broker/node/config.ts'
import { parseNodeConfig } from '../../../broker/node/config.ts'
import { asNodeMessage, type NodeConfig } from '../../../broker/runtime/node-protocol.ts'

const config: NodeConfig = {
  role: 'broker',
  nodeId: 1,
  clusterId: 'AAAAAAAAAAAAAAAAAAAAAA',
  dataDirectory: '/data/broker-1',
  listeners: [
    { name: 'CLIENT', host: '127.0.0.1', port: 9092 },
    { name: 'CLIENT', host: '::1', port: 9092 },
    { name: 'INTERNAL', host: '127.0.0.1', port: 0 },
  ],
  internalSecret: 'secret',
  controllers: [],
  voters: [{ id: 1001, directoryId: 'BBBBBBBBBBBBBBBBBBBBBB' }],
  logLevel: 'info',
  configOverrides: {},
}

test('what the runtime writes, a node reads', () => {
  expectTypeOf<NodeConfig>().toExtend<ReadByNode>()
  expect(parseNodeConfig(JSON.stringify(config))).toMatchObject(config)
})

test.each([null, 'ready', 7, {}, { type: 'metadata' }, { type: null }])('%j is no message of a node', (message) => {
  expect(asNodeMessage(message)).toBeNull()
})

test('a message of a node is taken as it is', () => {
  expect(asNodeMessage({ type: 'fatal', reason: 'disk' })).toEqual({ type: 'fatal', reason: 'disk' })
})
