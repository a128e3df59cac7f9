import { expect, test } from 'vitest'
import { createRealEnv } from '../../../../broker/env/real.ts'
import { followConnections } from '../../../../broker/host/sampling/connection-sampler.ts'
import type { EmbeddedCluster, NodeConnection } from '../../../../broker/runtime/types.ts'
import { until } from '../../../support/until.ts'

const connection = (id: string, listener: string): NodeConnection => ({
  id,
  remote: '10.0.0.7:40000',
  listener,
  clientId: `client-${id}`,
  softwareName: null,
  softwareVersion: null,
  connectedMs: 0,
  lastActivityMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  requests: 0,
  lastError: null,
})

test('clients are those on loopback and those that came by an advertised address, and no peers', async () => {
  const connections = [connection('1', 'CLIENT'), connection('2', 'EXTERNAL'), connection('3', 'EXTERNAL2'), connection('4', 'INTERNAL')]
  const cluster = { connections: async () => [{ nodeId: 1, connections }] } as unknown as EmbeddedCluster
  const ending = new AbortController()
  const facts = followConnections(createRealEnv(), cluster, ending.signal)
  facts.changes.on(() => undefined)
  await until('the connections to be listed', () => facts.countOf(1) !== null)
  ending.abort()
  expect(facts.list().connections.map(({ clientId }) => clientId)).toEqual(['client-1', 'client-2', 'client-3'])
})
