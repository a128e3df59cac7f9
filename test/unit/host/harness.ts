import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { HostClient } from '../../../broker/contract/contract.ts'
import { problemOf, type Problem } from '../../../broker/contract/errors.ts'
import { createRealEnv } from '../../../broker/env/real.ts'
import { createHost, type Host } from '../../../broker/host/host.ts'
import { createQueryEngine } from '../../../broker/host/messages/query-engine.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { openWindow } from '../../support/host-window.ts'
import { until } from '../../support/until.ts'

export { firstOf } from '../../support/contract-stream.ts'

// A whole host takes part; on a busy machine that is more than a unit test's five seconds.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

export interface HostHarness {
  readonly kafka: FakeKafka
  readonly host: Host
  readonly client: HostClient
  readonly clusterId: string
  close(): Promise<void>
}

/** A host with one remote cluster in memory, connected, behind a message port. */
export async function startHarness(kafka: FakeKafka = new FakeKafka()): Promise<HostHarness> {
  const env = createRealEnv({ log: { write: () => undefined } })
  const directory = mkdtempSync(join(tmpdir(), 'weir-host-'))
  writeFileSync(join(directory, 'index.html'), '<!doctype html>')
  const queries = await createQueryEngine({ env, createClient: kafka.createClient, spillDirectory: join(directory, 'spill') })
  const host = await createHost({
    env,
    dataDirectory: directory,
    version: '0.0.0',
    rendererDirectory: directory,
    createClient: kafka.createClient,
    queries,
  })
  const { client, port } = openWindow((hostPort) => host.attachPort(hostPort))
  const { id } = await client.clusters.add({ name: 'Test', bootstrapServers: ['127.0.0.1:9092'] })
  if (!kafka.isDown)
    await until(
      'the cluster to be read',
      async () =>
        (await client.overview.get({ clusterId: id })).counts.totalLag !== undefined &&
        (await client.groups.list({ clusterId: id })).asOfMs !== null,
    )
  return {
    kafka,
    host,
    client,
    clusterId: id,
    async close() {
      port.close()
      await host.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function failure(promise: Promise<unknown>): Promise<Problem> {
  return promise.then(() => Promise.reject(new Error('it did not fail')), problemOf)
}
