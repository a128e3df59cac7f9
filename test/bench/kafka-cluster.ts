/**
 * A cluster of Apache Kafka as its own scripts would start it: three brokers and three controllers (KRaft), six JVMs with
 * the heap and flags of kafka-server-start.sh, on free ports of loopback, replicating three times with two in sync.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { randomUUID } from 'node:crypto'
import { clientOf, type BenchTarget, type ClusterProcess } from './cluster.ts'
import { batchOf, sendBatch } from './load.ts'

const BROKER_IDS = [1, 2, 3]
const CONTROLLER_IDS = [1001, 1002, 1003]
/** KAFKA_HEAP_OPTS and KAFKA_JVM_PERFORMANCE_OPTS as kafka-server-start.sh and kafka-run-class.sh set them. */
const JVM_OPTIONS = [
  '-Xmx1G',
  '-Xms1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]
const FORMATTER_OPTIONS = ['-Xmx256m', '-XX:TieredStopAtLevel=1']
const READY_WITHIN_MS = 240_000
const STOP_WITHIN_MS = 15_000
const POLL_MS = 20
const READY_TOPIC = 'ready'

export interface KafkaJars {
  readonly classPath: string
  readonly loggingOption: string
}

export interface KafkaCluster extends BenchTarget, AsyncDisposable {
  /** From the start of the first JVM, on formatted folders, until every broker is there and a write with acks=all succeeded. */
  readonly readyMs: number
  /** Starts again what was killed. */
  revive(): Promise<void>
}

interface Node {
  readonly role: 'broker' | 'controller'
  readonly nodeId: number
  readonly port: number
  readonly configFile: string
  process: ChildProcess | null
}

export async function startKafka(jars: KafkaJars): Promise<KafkaCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-kafka-'))
  const nodes = await configured(folder)
  const killAll = (): void => {
    for (const { process: running } of nodes) running?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  // Whatever ends the bench, no JVM outlives it.
  process.once('exit', killAll)
  try {
    await format(jars, nodes)
    const startMs = performance.now()
    for (const node of nodes) launch(jars, node)
    const brokers = nodes.filter(({ role }) => role === 'broker')
    const target = clientOf(brokers.map(({ port }) => `127.0.0.1:${port}`).join(','))
    await ready(target, startMs)
    return {
      ...target,
      readyMs: performance.now() - startMs,
      processes: () => nodes.flatMap(asProcess),
      async revive() {
        for (const node of nodes) if (node.process === null) launch(jars, node)
      },
      async [Symbol.asyncDispose]() {
        await target.client.close()
        await Promise.all(nodes.map(stopped))
        process.off('exit', killAll)
        killAll()
      },
    }
  } catch (error) {
    killAll()
    throw error
  }
}

async function configured(folder: string): Promise<Node[]> {
  const ports = await freePorts(CONTROLLER_IDS.length + BROKER_IDS.length)
  const voters = CONTROLLER_IDS.map((id, index) => `${id}@127.0.0.1:${ports[index]}`).join(',')
  return [...CONTROLLER_IDS, ...BROKER_IDS].map((nodeId, index) => {
    const role = CONTROLLER_IDS.includes(nodeId) ? 'controller' : 'broker'
    const port = ports[index] ?? 0
    const configFile = join(folder, `${role}-${nodeId}.properties`)
    mkdirSync(join(folder, String(nodeId)))
    writeFileSync(configFile, properties({ role, nodeId, port, voters, directory: join(folder, String(nodeId)) }))
    return { role, nodeId, port, configFile, process: null }
  })
}

function properties(node: { role: string; nodeId: number; port: number; voters: string; directory: string }): string {
  const listener = node.role === 'controller' ? 'CONTROLLER' : 'PLAINTEXT'
  const settings: Record<string, string | number> = {
    'process.roles': node.role,
    'node.id': node.nodeId,
    'controller.quorum.voters': node.voters,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    listeners: `${listener}://127.0.0.1:${node.port}`,
    'log.dirs': node.directory,
    'default.replication.factor': 3,
    'min.insync.replicas': 2,
    'offsets.topic.replication.factor': 3,
    'transaction.state.log.replication.factor': 3,
    'transaction.state.log.min.isr': 2,
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

async function format({ classPath, loggingOption }: KafkaJars, nodes: readonly Node[]): Promise<void> {
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'a')
  const run = promisify(execFile)
  const formatOne = ({ configFile }: Node) => {
    const tool = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', configFile]
    return run('java', [...FORMATTER_OPTIONS, loggingOption, '-cp', classPath, ...tool])
  }
  await Promise.all(nodes.map(formatOne))
}

function launch({ classPath, loggingOption }: KafkaJars, node: Node): void {
  const child = spawn('java', [...JVM_OPTIONS, loggingOption, '-cp', classPath, 'kafka.Kafka', node.configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr.on('data', (chunk: Buffer) => appendFileSync(`${node.configFile}.log`, chunk))
  child.once('exit', () => {
    if (node.process === child) node.process = null
  })
  node.process = child
}

/** A broker may be named before it listens: whatever fails until the deadline is tried again. */
async function ready(target: Omit<BenchTarget, 'processes'>, startMs: number): Promise<void> {
  for (;;) {
    try {
      const { brokers } = await target.client.metadata({ refresh: true, timeoutMs: 2_000 })
      if (brokers.length === BROKER_IDS.length) return await writeEverywhere(target)
    } catch (error) {
      if (performance.now() - startMs > READY_WITHIN_MS) throw error
    }
    if (performance.now() - startMs > READY_WITHIN_MS) throw new Error(`Kafka was not ready after ${READY_WITHIN_MS} ms`)
    await pause(POLL_MS)
  }
}

async function writeEverywhere({ client }: Omit<BenchTarget, 'processes'>): Promise<void> {
  const [created] = await client.admin.createTopics([{ name: READY_TOPIC, partitionCount: BROKER_IDS.length }])
  if (created?.error && created.error.kafkaErrorName !== 'TOPIC_ALREADY_EXISTS') throw created.error
  const batch = batchOf(10, 1)
  for (const partition of BROKER_IDS.keys()) await sendBatch(client, { topic: READY_TOPIC, acks: -1 }, partition, batch)
}

function asProcess({ role, nodeId, process: running }: Node): ClusterProcess[] {
  return running?.pid === undefined ? [] : [{ role, nodeId, pid: running.pid }]
}

async function stopped(node: Node): Promise<void> {
  const running = node.process
  if (running === null) return
  const exit = once(running, 'exit')
  running.kill('SIGTERM')
  const timer = setTimeout(() => running.kill('SIGKILL'), STOP_WITHIN_MS)
  await exit
  clearTimeout(timer)
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}
