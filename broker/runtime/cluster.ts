/**
 * The embedded cluster: claims a data folder, chooses ports, starts one process per controller and broker, and ends them in
 * order. Knows nothing of topics or data.
 */
import type { Env } from '../env/types.ts'
import { advertisedServers, chooseExternal, exposureWarning, parseAdvertised, type ExternalListener } from './advertise.ts'
import { openDataFolder, refuseForeignFolder, type ClusterManifest } from './data-folder.ts'
import { folderProblem } from './folder-problem.ts'
import { speaksKafka } from './kafka-probe.ts'
import { createLauncher, holdProcess, type Launcher } from './launcher.ts'
import { createRunRecord, endLeftovers, type RunRecord } from './leftovers.ts'
import { createNodeSet, LOOPBACK, type NodeSet } from './node-set.ts'
import { claimFolder, type Ownership } from './ownership.ts'
import { choosePorts, portRange, type PortBlock } from './ports.ts'
import { proveWritable } from './readiness.ts'
import type { SupervisedNode } from './supervised-node.ts'
import { RuntimeError, type ClusterOptions, type EmbeddedCluster, type NodeView } from './types.ts'
import { startWatchdog, type Watchdog } from './watchdog.ts'

const openWithinMs = 30_000
const readyWithinMs = 120_000
const endWithinMs = 30_000

/** Replaced in tests that need no real process. */
export interface ClusterPorts {
  readonly launcher: Launcher
  readonly proveWritable: typeof proveWritable
}

/** `openCluster`, then `whenReady`; what was started is ended again when that fails. */
export async function startCluster(env: Env, options: ClusterOptions, ports: Partial<ClusterPorts> = {}): Promise<EmbeddedCluster> {
  const cluster = await openCluster(env, options, ports)
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
 * when the folder is in use or unusable, a named port is taken, an option makes no sense, or it took longer than 30 s; with
 * the reason of `options.signal` when that was given and has said to stop. Nothing runs then.
 */
export async function openCluster(env: Env, options: ClusterOptions, ports: Partial<ClusterPorts> = {}): Promise<EmbeddedCluster> {
  const overdue = new AbortController()
  const deadline = env.timers.after(openWithinMs, () =>
    overdue.abort(
      new RuntimeError(
        'TIMED_OUT',
        `${options.dataDirectory} could not be opened within ${openWithinMs / 1000} s: its disk hardly answers.`,
      ),
    ),
  )
  const signal = options.signal === undefined ? overdue.signal : AbortSignal.any([options.signal, overdue.signal])
  const opening = open(env, options, ports, signal)
  // A disk that has stopped answering holds the opening, which lets go of everything should it ever go on, but not the caller.
  const late = new Promise<never>((_resolve, reject) => {
    overdue.signal.addEventListener('abort', () => reject(overdue.signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([opening, late])
  } finally {
    deadline.cancel()
  }
}

/** Looks at `signal` between all steps; the last one, which makes the processes, is one turn of the event loop. */
async function open(env: Env, options: ClusterOptions, ports: Partial<ClusterPorts>, signal: AbortSignal): Promise<EmbeddedCluster> {
  const { dataDirectory, brokers, controllers, combined, name } = options
  const advertise = (options.advertise ?? []).map(parseAdvertised)
  const hold = holdProcess()
  let ownership: Ownership | null = null
  try {
    signal.throwIfAborted()
    await refuseForeignFolder(env, dataDirectory)
    signal.throwIfAborted()
    ownership = await claimFolder(env, dataDirectory, process.pid)
    signal.throwIfAborted()
    const manifest = await openDataFolder(env, dataDirectory, { brokers, controllers, combined, name })
    await reportLeftovers(env, options, signal)
    signal.throwIfAborted()
    const count = manifest.brokers.length
    const block = await choosePorts(env, { port: options.port, count })
    const external = await chooseExternal(env, { advertise, count, used: block.ports })
    await ownership.describe({ bootstrapServers: bootstrapServersOf(block.ports) })
    signal.throwIfAborted()
    reportPorts(env, options, block)
    reportExposure(options, external)
    return launchCluster(
      { env, options, ownership, manifest, block, external, hold },
      { launcher: createLauncher(), proveWritable, ...ports },
    )
  } catch (error) {
    await ownership?.release()
    hold.release()
    throw folderProblem(dataDirectory, error)
  }
}

async function reportLeftovers(env: Env, { dataDirectory, onNotice }: ClusterOptions, signal: AbortSignal): Promise<void> {
  const ended = await endLeftovers(env, dataDirectory, signal)
  if (ended.length === 0) return
  onNotice?.({ code: 'LEFTOVERS_ENDED', message: `Ended what an earlier run left behind: nodes ${ended.join(', ')}.` })
}

function reportPorts(env: Env, { onNotice }: ClusterOptions, { taken, ports }: PortBlock): void {
  if (taken === null || onNotice === undefined) return
  const chosen = portRange(ports)
  const address = `${LOOPBACK}:${taken}`
  void speaksKafka(env, address).then((isKafka) =>
    onNotice(
      isKafka
        ? { code: 'PORTS_TAKEN', message: `A Kafka broker is on port ${taken} already; the brokers here use ${chosen}.`, kafkaAt: address }
        : { code: 'PORTS_TAKEN', message: `Port ${taken} is taken; the brokers use ${chosen}.` },
    ),
  )
}

function reportExposure({ onNotice }: ClusterOptions, external: readonly ExternalListener[]): void {
  const message = exposureWarning(external)
  if (message !== null) onNotice?.({ code: 'ADVERTISED', message })
}

interface Opened {
  readonly env: Env
  readonly options: ClusterOptions
  readonly ownership: Ownership
  readonly manifest: ClusterManifest
  readonly block: PortBlock
  readonly external: readonly ExternalListener[]
  readonly hold: { release(): void }
}

function launchCluster(opened: Opened, ports: ClusterPorts): EmbeddedCluster {
  const { env, options, manifest, ownership } = opened
  const listeners = new Set<(nodes: readonly NodeView[]) => void>()
  const watchdog = startWatchdog({
    removeDirectory: options.ephemeral === true ? options.dataDirectory : null,
    onFailure: (reason) => env.log.write('warn', 'The watchdog is gone; a killed Weir could leave paused nodes behind', { reason }),
  })
  const record = createRunRecord(env, options.dataDirectory)
  const internalSecret = Buffer.from(env.random.bytes(32)).toString('base64url')
  const nodes = createNodeSet({
    env,
    launcher: ports.launcher,
    cluster: options,
    manifest,
    ports: opened.block,
    external: opened.external,
    internalSecret,
    watchdog,
    record,
    onChange() {
      const views = nodes.views()
      for (const listener of listeners) listener(views)
    },
  })
  for (const node of nodes.all) node.launch()

  const bootstrapServers = (): string => bootstrapServersOf(manifest.brokers.map((id) => nodes.find(id).view().port ?? 0))
  const ready = (async (): Promise<void> => {
    await Promise.all(nodes.all.map((node) => node.untilState(['running'], readyWithinMs)))
    await ports.proveWritable(env, { bootstrapServers: bootstrapServers(), brokers: manifest.brokers, timeoutMs: readyWithinMs })
  })()
  // Whoever asks hears of a failure; nobody has to ask.
  ready.catch(() => undefined)
  let ending: Promise<void> | null = null

  return {
    clusterId: manifest.clusterId,
    name: manifest.name,
    get bootstrapServers() {
      return bootstrapServers()
    },
    advertised: advertisedServers(opened.external),
    dataDirectory: options.dataDirectory,
    ephemeral: options.ephemeral === true,
    ownerSocketPath: ownership.socketPath,
    announceConsole: (consoleAddress) => ownership.describe({ consoleAddress }),
    internalSecret,
    controllerAddresses: () => nodes.controllerAddresses(),
    nodes: () => nodes.views(),
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    whenReady: () => ready,
    ...nodeCalls(nodes),
    shutdown: () => (ending ??= end(opened, { nodes, watchdog, record })),
  }
}

function bootstrapServersOf(ports: readonly number[]): string {
  return ports.map((port) => `${LOOPBACK}:${port}`).join(',')
}

type NodeCalls = Pick<EmbeddedCluster, 'start' | 'stop' | 'kill' | 'restart' | 'pause' | 'resume' | 'connections'>

/** Async throughout, so that an unknown node or a wrong state rejects and never throws. */
function nodeCalls(nodes: NodeSet): NodeCalls {
  return {
    start: async (nodeId) => nodes.find(nodeId).start(),
    stop: async (nodeId) => nodes.find(nodeId).stop(),
    kill: async (nodeId) => nodes.find(nodeId).kill(),
    async restart(nodeId) {
      const node = nodes.find(nodeId)
      const { state } = node.view()
      if (state !== 'stopped' && state !== 'crashed') await node.stop()
      return node.start()
    },
    pause: async (nodeId) => nodes.find(nodeId).pause(),
    resume: async (nodeId) => nodes.find(nodeId).resume(),
    connections: () =>
      Promise.all(
        nodes.all.filter(({ role }) => role === 'broker').map(async (node) => ({ nodeId: node.id, connections: await node.connections() })),
      ),
  }
}

async function end(
  { env, options, ownership, hold }: Opened,
  { nodes, watchdog, record }: { nodes: NodeSet; watchdog: Watchdog; record: RunRecord },
): Promise<void> {
  for (const node of nodes.all) node.retire()
  // Brokers first: they hand over what they lead through the controllers, wherever those run.
  await Promise.all(nodes.all.map((node) => node.leave()))
  for (const role of ['broker', 'controller'] as const) {
    await Promise.all(nodes.all.filter((node) => node.role === role).map((node) => endNode(env, node)))
  }
  watchdog.dismiss()
  await record.remove()
  await ownership.release()
  if (options.ephemeral === true) await env.disk.removeTree(options.dataDirectory)
  hold.release()
}

/** In order if it can be, by force if not: an ending cluster leaves nothing behind. */
async function endNode(env: Env, node: SupervisedNode): Promise<void> {
  const { state } = node.view()
  if (state === 'stopped' || state === 'crashed') return
  try {
    if (state === 'stopping') await node.untilState(['stopped'], endWithinMs)
    else await node.stop()
  } catch (error) {
    env.log.write('error', 'A node did not end in order and is killed', { node: node.id, error })
    await node.kill()
  }
}
