import { readdirSync, readFileSync } from 'node:fs'
import { createClient } from '../../broker/client/client.ts'
import type { KafkaClient } from '../../broker/client/types.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import { startWeir, type WeirProcess } from '../support/weir-process.ts'

/** A cluster of three brokers and three controllers, whoever made it, and a client of it in this process. */
export interface BenchTarget {
  readonly bootstrapServers: string
  readonly client: KafkaClient
  createTopic(topic: string, partitionCount: number, settings?: Readonly<Record<string, string>>): Promise<void>
  processes(): readonly ClusterProcess[]
}

/** The same, started the way a user starts Weir. */
export interface BenchCluster extends BenchTarget {
  readonly weir: WeirProcess
}

export interface ClusterProcess {
  readonly role: 'broker' | 'controller' | 'weir' | 'watchdog'
  /** Null where there is but one. */
  readonly nodeId: number | null
  readonly pid: number
}

export async function withCluster<T>(args: readonly string[], use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  await using cluster = await openCluster(args)
  return await use(cluster)
}

export async function openCluster(args: readonly string[]): Promise<BenchCluster & AsyncDisposable> {
  const weir = await startWeir(args)
  const target = clientOf(weir.bootstrapServers)
  return {
    ...target,
    weir,
    processes: () => processesOf(weir.pid),
    async [Symbol.asyncDispose]() {
      await target.client.close()
      await weir.stop()
    },
  }
}

export function clientOf(bootstrapServers: string): Omit<BenchTarget, 'processes'> {
  const client = createClient(createRealEnv({ log: { write: () => {} } }), { bootstrapServers, clientId: 'bench' })
  return {
    bootstrapServers,
    client,
    async createTopic(topic, partitionCount, settings = {}) {
      const [created] = await client.admin.createTopics([{ name: topic, partitionCount, configs: settings }])
      if (created?.error) throw created.error
    },
  }
}

function processesOf(rootPid: number): ClusterProcess[] {
  const found: ClusterProcess[] = [{ role: 'weir', nodeId: null, pid: rootPid }]
  for (const pid of descendants(rootPid)) {
    const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    const [, role, nodeId] = /^weir (broker|controller) (\d+)/.exec(command) ?? []
    if (role === 'broker' || role === 'controller') found.push({ role, nodeId: Number(nodeId), pid })
    else if (command !== '') found.push({ role: 'watchdog', nodeId: null, pid })
  }
  return found
}

function descendants(pid: number): number[] {
  const children = listOf(`/proc/${pid}/task`).flatMap((task) =>
    textOf(`/proc/${pid}/task/${task}/children`).trim().split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap((child) => [child, ...descendants(child)])
}

/** Empty when the process has ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listOf(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
