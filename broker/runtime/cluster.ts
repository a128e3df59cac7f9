/**
 * The embedded cluster: claims a data folder, chooses ports, starts one process per controller and broker, tells them of
 * each other's addresses, and ends them in order. Owner of all its nodes' life cycles; knows nothing of topics or data.
 */
import { join } from 'node:path'
import type { Env } from '../env/types.ts'
import { nodeDirectory, openDataFolder, type ClusterManifest } from './data-folder.ts'
import { speaksKafka } from './kafka-probe.ts'
import { createLauncher, holdProcess, type Launcher } from './launcher.ts'
import { createRunRecord, endLeftovers, type RunRecord } from './leftovers.ts'
import type { NodeConfig, NodeListener } from './node-protocol.ts'
import { claimFolder, type Ownership } from './ownership.ts'
import { choosePorts, DEFAULT_PORT, isFree, type PortBlock } from './ports.ts'
import { proveWritable } from './readiness.ts'
import { createSupervisedNode, type NodeHooks, type NodeSpec, type SupervisedNode } from './supervised-node.ts'
import { RuntimeError, type ClusterOptions, type ControllerAddress, type EmbeddedCluster, type NodeRole, type NodeView } from './types.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

const readyWithinMs = 120_000
const loopback = '127.0.0.1'

/** `openCluster`, then `whenReady`; what was started is ended again when that fails. */
export async function startCluster(env: Env, options: ClusterOptions, launcher?: Launcher): Promise<EmbeddedCluster> {
  const cluster = await openCluster(env, options, launcher)
  try {
    await cluster.whenReady()
    return cluster
  } catch (error) {
    await cluster.shutdown()
    throw error
  }
}

/**
 * Resolves as soon as every process is on its way, so that a console can show them start. Rejects with a `RuntimeError`
 * when the folder is in use or unusable, a named port is taken, or an option makes no sense; nothing runs then.
 */
export async function openCluster(env: Env, options: ClusterOptions, launcher: Launcher = createLauncher()): Promise<EmbeddedCluster> {
  const hold = holdProcess()
  let ownership: Ownership | null = null
  try {
    ownership = await claimFolder(env, options.dataDirectory, process.pid)
    const manifest = await openDataFolder(env, options.dataDirectory, {
      brokers: options.brokers,
      controllers: options.controllers,
      name: options.name,
    })
    await reportLeftovers(env, options)
    const ports = await choosePorts(env, { port: options.port, count: manifest.brokers.length })
    reportPorts(env, options, ports)
    return launchCluster({ env, options, launcher, ownership, manifest, ports, hold })
  } catch (error) {
    await ownership?.release()
    hold.release()
    throw error
  }
}

async function reportLeftovers(env: Env, { dataDirectory, onNotice }: ClusterOptions): Promise<void> {
  const ended = await endLeftovers(env, dataDirectory)
  if (ended.length === 0) return
  onNotice?.({ code: 'LEFTOVERS_ENDED', message: `Ended what an earlier run left behind: nodes ${ended.join(', ')}.` })
}

function reportPorts(env: Env, { onNotice }: ClusterOptions, { taken, ports }: PortBlock): void {
  if (taken === null || onNotice === undefined) return
  const chosen = ports.length === 1 ? `port ${ports[0]}` : `ports ${ports[0]} to ${ports.at(-1)}`
  const plain = `Port ${taken} is taken; the brokers use ${chosen}.`
  const address = `${loopback}:${taken}`
  void speaksKafka(env, address).then((isKafka) => {
    const message = isKafka ? `A Kafka broker is on port ${taken} already; the brokers here use ${chosen}.` : plain
    onNotice({ code: 'PORTS_TAKEN', message, ...(isKafka ? { kafkaAt: address } : {}) })
  })
}

interface Parts {
  readonly env: Env
  readonly options: ClusterOptions
  readonly launcher: Launcher
  readonly ownership: Ownership
  readonly manifest: ClusterManifest
  readonly ports: PortBlock
  readonly hold: { release(): void }
}

function launchCluster({ env, options, launcher, ownership, manifest, ports, hold }: Parts): EmbeddedCluster {
  const { dataDirectory, ephemeral = false } = options
  const internalSecret = Buffer.from(env.random.bytes(32)).toString('base64url')
  const watchdog = startWatchdog({
    removeDirectory: ephemeral ? dataDirectory : null,
    onFailure: (reason) => env.log.write('warn', 'The watchdog is gone; a killed Weir could leave paused nodes behind', { reason }),
  })
  const record = createRunRecord(env, dataDirectory)
  const listeners = new Set<(nodes: readonly NodeView[]) => void>()
  const nodes = new Map<number, SupervisedNode>()
  const addresses = new Map<number, ControllerAddress>()
  const views = (): NodeView[] => [...nodes.values()].map((node) => node.view())
  const controllerAddresses = (): ControllerAddress[] =>
    addresses.size < manifest.voters.length ? [] : [...addresses.values()].toSorted((a, b) => a.id - b.id)

  const changed = (): void => {
    const now = views()
    for (const listener of listeners) listener(now)
  }

  const configFor = async (role: NodeRole, id: number): Promise<NodeConfig> => ({
    role,
    nodeId: id,
    clusterId: manifest.clusterId,
    dataDirectory: nodeDirectory(dataDirectory, role, id),
    listeners: role === 'broker' ? brokerListeners(id) : await controllerListeners(id),
    internalSecret,
    controllers: controllerAddresses(),
    voters: manifest.voters,
    logLevel: 'info',
    configOverrides: options.configOverrides ?? {},
  })

  const internal = (port: number): NodeListener => ({ name: 'INTERNAL', host: loopback, port })

  const brokerListeners = (id: number): NodeListener[] => {
    const port = nodes.get(id)?.view().port ?? 0
    return [...ports.hosts.map((host) => ({ name: 'CLIENT', host, port })), internal(0)]
  }

  /** A controller that comes back where it was needs no one to be told. */
  const controllerListeners = async (id: number): Promise<NodeListener[]> => {
    const before = addresses.get(id)?.port
    return [internal(before !== undefined && (await isFree(env, loopback, before)) ? before : 0)]
  }

  const onListening = (node: SupervisedNode, bound: readonly NodeListener[]): void => {
    const wanted = node.role === 'broker' ? 'CLIENT' : 'INTERNAL'
    const listener = bound.find(({ name }) => name === wanted)
    if (listener === undefined) return
    node.setPort(listener.port)
    if (node.role === 'broker' || addresses.get(node.id)?.port === listener.port) return
    addresses.set(node.id, { id: node.id, host: loopback, port: listener.port })
    const controllers = controllerAddresses()
    if (controllers.length === 0) return
    for (const other of nodes.values()) other.send({ type: 'config', controllers })
  }

  const add = (role: NodeRole, id: number): void => {
    const spec: NodeSpec = {
      id,
      role,
      dataDirectory: nodeDirectory(dataDirectory, role, id),
      logFile: join(dataDirectory, 'logs', `${role}-${id}.log`),
      restart: options.restart ?? 'never',
      config: () => configFor(role, id),
    }
    const hooks: NodeHooks = {
      onChange: changed,
      onListening: (bound) => onListening(node, bound),
      onProcess: (event, pid) => onProcess(views(), { event, pid, watchdog, record }),
    }
    const node = createSupervisedNode(env, launcher, spec, hooks)
    nodes.set(id, node)
  }

  for (const { id } of manifest.voters) add('controller', id)
  for (const [index, id] of manifest.brokers.entries()) {
    add('broker', id)
    const port = ports.ports[index] ?? 0
    if (port !== 0) nodes.get(id)?.setPort(port)
  }
  for (const node of nodes.values()) node.launch()

  const find = (nodeId: number): SupervisedNode => {
    const node = nodes.get(nodeId)
    if (node === undefined) throw new RuntimeError('UNKNOWN_NODE', `There is no node ${nodeId}; there are ${[...nodes.keys()].join(', ')}.`)
    return node
  }

  const bootstrapServers = (): string => manifest.brokers.map((id) => `${loopback}:${nodes.get(id)?.view().port ?? 0}`).join(',')

  const ready = (async (): Promise<void> => {
    await Promise.all([...nodes.values()].map((node) => node.untilState(['running'], readyWithinMs)))
    await proveWritable(env, { bootstrapServers: bootstrapServers(), brokers: manifest.brokers, timeoutMs: readyWithinMs })
  })()
  // Whoever asks hears of a failure; nobody has to ask.
  ready.catch(() => undefined)

  const end = async (): Promise<void> => {
    for (const node of nodes.values()) node.retire()
    for (const role of ['broker', 'controller'] as const) {
      await Promise.all([...nodes.values()].filter((node) => node.role === role).map((node) => endNode(env, node)))
    }
    watchdog.dismiss()
    await record.remove()
    await ownership.release()
    if (ephemeral) await env.disk.removeTree(dataDirectory)
    hold.release()
  }

  let ending: Promise<void> | null = null

  return {
    clusterId: manifest.clusterId,
    name: manifest.name,
    get bootstrapServers() {
      return bootstrapServers()
    },
    dataDirectory,
    ephemeral,
    ownerSocketPath: ownership.socketPath,
    internalSecret,
    controllerAddresses,
    nodes: views,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    whenReady: () => ready,
    start: async (nodeId) => find(nodeId).start(),
    stop: async (nodeId) => find(nodeId).stop(),
    kill: async (nodeId) => find(nodeId).kill(),
    async restart(nodeId) {
      const node = find(nodeId)
      const { state } = node.view()
      if (state !== 'stopped' && state !== 'crashed') await node.stop()
      return node.start()
    },
    pause: async (nodeId) => find(nodeId).pause(),
    resume: async (nodeId) => find(nodeId).resume(),
    connections: () =>
      Promise.all(
        [...nodes.values()]
          .filter(({ role }) => role === 'broker')
          .map(async (node) => ({ nodeId: node.id, connections: await node.connections() })),
      ),
    shutdown: () => (ending ??= end()),
  }
}

function onProcess(
  views: readonly NodeView[],
  { event, pid, watchdog, record }: { event: 'started' | 'ended'; pid: number; watchdog: Watchdog; record: RunRecord },
): void {
  if (event === 'started') watchdog.watch(pid)
  else watchdog.forget(pid)
  const alive = views.flatMap((node) =>
    node.pid === null || (event === 'ended' && node.pid === pid) ? [] : [{ nodeId: node.id, pid: node.pid }],
  )
  record.update(alive)
}

/** In order if it can be, by force if not: an ending cluster leaves nothing behind. */
async function endNode(env: Env, node: SupervisedNode): Promise<void> {
  const { state } = node.view()
  if (state === 'stopped' || state === 'crashed') return
  try {
    if (state === 'stopping') await node.untilState(['stopped'], 30_000)
    else await node.stop()
  } catch (error) {
    env.log.write('error', 'A node did not end in order', { node: node.id, error })
    await node.kill()
  }
}
