import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'
import { kafkaTools } from './support/kafka-tools.ts'

/** Apache Kafka's own tools, written for its own brokers, do their work on ours; and its log reader reads our folders. */
const RECORD_COUNT = 20_000
const PARTITION_COUNT = 3

const tools = kafkaTools()
if ('missing' in tools) console.log(`Apache Kafka's own tools are skipped: ${tools.missing}.`)

describe.skipIf('missing' in tools)('with the tools of Apache Kafka', () => {
  const { run, complaint } = 'missing' in tools ? { run: unavailable, complaint: unavailable } : tools
  let folder: string
  let weir: WeirProcess
  let bootstrap: readonly [string, string]

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-kafka-tools-'))
    weir = await startWeir(['--data-dir', join(folder, 'data')])
    bootstrap = ['--bootstrap-server', weir.bootstrapServers]
    await run('org.apache.kafka.tools.TopicCommand', ...bootstrap, '--create', '--topic', 'orders', '--partitions', String(PARTITION_COUNT))
  })
  afterAll(async () => {
    await weir.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const written = (name: string, content: object): string => {
    const path = join(folder, name)
    writeFileSync(path, JSON.stringify(content))
    return path
  }

  test('a topic is described with its replicas, in-sync sets and settings', async () => {
    await run('kafka.admin.ConfigCommand', ...bootstrap, '--alter', '--topic', 'orders', '--add-config', 'retention.ms=86400000')
    const description = await run('org.apache.kafka.tools.TopicCommand', ...bootstrap, '--describe', '--topic', 'orders')
    expect(description).toContain('ReplicationFactor: 3')
    expect(description).toContain('retention.ms=86400000')
    expect(description.match(/Isr: \d,\d,\d/g)).toHaveLength(PARTITION_COUNT)
    const settings = await run('kafka.admin.ConfigCommand', ...bootstrap, '--describe', '--topic', 'orders')
    expect(settings).toContain('DYNAMIC_TOPIC_CONFIG:retention.ms=86400000')
  })

  test('the Java producer and consumer move every record, and the group tool sees no lag, then rewinds it', async () => {
    const client = ['--command-property', `bootstrap.servers=${weir.bootstrapServers}`, 'acks=all', 'compression.type=zstd']
    const load = ['--topic', 'orders', '--num-records', String(RECORD_COUNT), '--record-size', '200', '--throughput', '-1']
    await run('org.apache.kafka.tools.ProducerPerformance', ...load, ...client)
    const offsets = await run('org.apache.kafka.tools.GetOffsetShell', ...bootstrap, '--topic', 'orders')
    expect(sum(offsets.matchAll(/^orders:\d+:(\d+)$/gm))).toBe(RECORD_COUNT)
    const read = ['--topic', 'orders', '--num-records', String(RECORD_COUNT), '--group', 'auditors']
    await run('org.apache.kafka.tools.ConsumerPerformance', ...bootstrap, ...read)
    const groupTool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'
    const lags = await run(groupTool, ...bootstrap, '--describe', '--group', 'auditors')
    const rows = [...lags.matchAll(/^auditors\s+orders\s+\d+\s+(\d+)\s+\d+\s+(\d+)/gm)]
    expect(sum(rows)).toBe(RECORD_COUNT)
    expect(rows.map(([, , lag]) => lag)).toEqual(['0', '0', '0'])
    const rewind = ['--reset-offsets', '--to-earliest', '--group', 'auditors', '--topic', 'orders', '--execute']
    expect((await run(groupTool, ...bootstrap, ...rewind)).match(/^auditors\s+orders\s+\d\s+0/gm)).toHaveLength(PARTITION_COUNT)
    expect(await run(groupTool, ...bootstrap, '--delete', '--group', 'auditors')).toContain('was successful')
  })

  test('partitions are reassigned, leaders elected and records deleted', async () => {
    const moves = written('moves.json', { version: 1, partitions: [{ topic: 'orders', partition: 0, replicas: [3, 2] }] })
    const reassign = ['org.apache.kafka.tools.reassign.ReassignPartitionsCommand', ...bootstrap, '--reassignment-json-file', moves] as const
    await run(...reassign, '--execute')
    await expect.poll(() => run(...reassign, '--verify')).toContain('Reassignment of partition orders-0 is completed')
    const election = ['--election-type', 'preferred', '--topic', 'orders', '--partition', '0']
    expect(await run('org.apache.kafka.tools.LeaderElectionCommand', ...bootstrap, ...election)).toMatch(/orders-0/)
    const description = await run('org.apache.kafka.tools.TopicCommand', ...bootstrap, '--describe', '--topic', 'orders')
    expect(description).toMatch(/Partition: 0\s+Leader: 3\s+Replicas: 3,2/)
    const cut = written('cut.json', { version: 1, partitions: [{ topic: 'orders', partition: 1, offset: 10 }] })
    const deleted = await run('org.apache.kafka.tools.DeleteRecordsCommand', ...bootstrap, '--offset-json-file', cut)
    expect(deleted).toContain('partition: orders-1\tlow_watermark: 10')
  })

  test('the quorum, its voters and the features are described', async () => {
    const replication = await run('org.apache.kafka.tools.MetadataQuorumCommand', ...bootstrap, 'describe', '--replication')
    expect(replication.match(/^100\d .*(Leader|Follower)/gm)).toHaveLength(3)
    expect(replication.match(/^[123] .*Observer/gm)).toHaveLength(3)
    expect(await run('org.apache.kafka.tools.FeatureCommand', ...bootstrap, 'describe')).toMatch(/metadata.version .*4\.3-IV0/)
  })

  test('what is not served is refused by name and at once', async () => {
    const asked = ['--topic', 'orders', '--group', 'modern', '--timeout-ms', '20000', '--command-property', 'group.protocol=consumer']
    const refusal = await complaint('org.apache.kafka.tools.consumer.ConsoleConsumer', ...bootstrap, ...asked)
    expect(refusal).toContain('does not support the new CONSUMER group protocol')
  })

  test('its log reader reads the metadata, the records and the committed offsets from our folders', async () => {
    const dump = (...parameters: string[]) => run('org.apache.kafka.tools.DumpLogSegments', ...parameters)
    const node = (name: string, directory: string) => join(folder, 'data', name, directory, '00000000000000000000.log')
    const metadata = await dump('--cluster-metadata-decoder', '--files', node('controller-1001', '__cluster_metadata-0'))
    expect(metadata).toMatch(/LeaderChange: .*"leaderId":1001/)
    expect(metadata).toMatch(/"type":"TOPIC_RECORD".*"name":"orders"/)
    const records = await dump('--deep-iteration', '--files', node('broker-2', 'orders-0'))
    expect(records).toContain('compresscodec: zstd')
    expect(records).not.toContain('isvalid: false')
    const offsetLogs = readdirSync(join(folder, 'data', 'broker-1')).filter((name) => name.startsWith('__consumer_offsets-'))
    const offsets = await dump('--offsets-decoder', '--files', offsetLogs.map((name) => node('broker-1', name)).join(','))
    expect(offsets).toContain('"group":"auditors","topic":"orders"')
  })
})

function sum(rows: Iterable<RegExpExecArray>): number {
  return [...rows].reduce((total, [, value]) => total + Number(value), 0)
}

async function unavailable(): Promise<string> {
  throw new Error('Apache Kafka is not there')
}
