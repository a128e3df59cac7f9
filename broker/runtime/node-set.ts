/**
 * All nodes of a cluster and what they must know of each other: where controllers listen. That is learned as they bind
 * their ports, told to every node, and told again when it changes. Owner of the controllers' addresses.
 */
import { join } from 'node:path'
import type { Env } from '../env/types.ts'
import { externalListenersOf, type ExternalListener } from './advertise.ts'
import { nodeDirectory, type ClusterManifest } from './data-folder.ts'
import type { Launcher } from './launcher.ts'
import type { RunRecord } from './leftovers.ts'
import type { NodeConfig, NodeListener } from './node-protocol.ts'
import { isFree, type PortBlock } from './ports.ts'
import { replicationDefaults } from './replication-defaults.ts'
import { createSupervisedNode, type NodeHooks, type SupervisedNode } from './supervised-node.ts'
import { RuntimeError, type ClusterOptions, type ControllerAddress, type NodeRole, type NodeView } from './types.ts'
import type { Watchdog } from './watchdog.ts'

export const LOOPBACK = '127.0.0.1'

export interface NodeSet {
  readonly all: readonly SupervisedNode[]
  find(nodeId: number): SupervisedNode
  views(): NodeView[]
  /** Of those that have bound their ports, and where each last was. */
  controllerAddresses(): readonly ControllerAddress[]
}

export interface NodeSetOptions {
  readonly env: Env
  readonly launcher: Launcher
  readonly cluster: ClusterOptions
  readonly manifest: ClusterManifest
  readonly ports: PortBlock
  readonly external: readonly ExternalListener[]
  readonly internalSecret: string
  readonly watchdog: Watchdog
  readonly record: RunRecord
  onChange(): void
}

export function createNodeSet(options: NodeSetOptions): NodeSet {
  const { manifest, ports } = options
  const nodes = new Map<number, SupervisedNode>()
  const addresses = new Map<number, ControllerAddress>()

  const set: NodeSet = {
    get all() {
      return [...nodes.values()]
    },
    find(nodeId) {
      const node = nodes.get(nodeId)
      if (node === undefined)
        throw new RuntimeError('UNKNOWN_NODE', `There is no node ${nodeId}; there are ${[...nodes.keys()].join(', ')}.`)
      return node
    },
    views: () => set.all.map((node) => node.view()),
    controllerAddresses: () => [...addresses.values()].toSorted((a, b) => a.id - b.id),
  }

  const onListening = (node: SupervisedNode, bound: readonly NodeListener[]): void => {
    const listener = bound.find(({ name }) => name === (node.role === 'broker' ? 'CLIENT' : 'INTERNAL'))
    if (listener !== undefined) node.setPort(listener.port)
    const voter = node.role === 'controller' ? listener : bound.find(({ name }) => name === 'CONTROLLER')
    const voterId = node.role === 'controller' ? node.id : node.voterId
    if (voter === undefined || voterId === null || addresses.get(voterId)?.port === voter.port) return
    addresses.set(voterId, { id: voterId, host: LOOPBACK, port: voter.port })
    // At once, not when all are known: a majority goes on without the one that does not come up.
    const controllers = set.controllerAddresses()
    for (const other of nodes.values()) other.send({ type: 'config', controllers })
  }

  const add = (role: NodeRole, id: number, { port, voterId }: { readonly port: number | null; readonly voterId: number | null }): void => {
    const { env, launcher, cluster } = options
    const hooks: NodeHooks = {
      onChange: () => options.onChange(),
      onListening: (bound) => onListening(node, bound),
      onProcess: (event, pid) => {
        onProcess(options, set.views(), event, pid)
        if (event !== 'ended') return
        for (const other of nodes.values()) {
          if (other === node || (other.role === 'broker' && other.voterId === null)) continue
          for (const nodeId of [id, node.voterId]) if (nodeId !== null) other.send({ type: 'ended', nodeId })
        }
      },
    }
    const spec = {
      id,
      role,
      dataDirectory: nodeDirectory(cluster.dataDirectory, role, id),
      logFile: join(cluster.dataDirectory, 'logs', `${role}-${id}.log`),
      restart: cluster.restart ?? 'never',
      voterId,
      port,
      config: () => nodeConfig(options, set, node),
    }
    const node = createSupervisedNode(env, launcher, spec, hooks)
    nodes.set(id, node)
  }

  if (!manifest.combined) for (const { id } of manifest.voters) add('controller', id, { port: null, voterId: null })
  for (const [index, id] of manifest.brokers.entries()) {
    const voterId = manifest.combined ? (manifest.voters[index]?.id ?? null) : null
    add('broker', id, { port: ports.ports[index] ?? null, voterId })
  }
  return set
}

/** Where the embedded cluster differs from Kafka's defaults: whoever starts a consumer on a laptop should not wait for company. */
const embeddedSettings = { 'group.initial.rebalance.delay.ms': '0' } as const

async function nodeConfig(options: NodeSetOptions, set: NodeSet, node: SupervisedNode): Promise<NodeConfig> {
  const { role, id, voterId } = node
  if (role === 'controller') return controllerConfig(options, set, id)
  return {
    ...sharedConfig(options, set, { role, nodeId: id }),
    listeners: brokerListeners(options, node),
    companion: voterId === null ? undefined : await controllerConfig(options, set, voterId),
  }
}

async function controllerConfig(options: NodeSetOptions, set: NodeSet, nodeId: number): Promise<NodeConfig> {
  const listeners = await controllerListeners(options, set, nodeId)
  return { ...sharedConfig(options, set, { role: 'controller', nodeId }), listeners }
}

function sharedConfig({ cluster, manifest, internalSecret }: NodeSetOptions, set: NodeSet, node: Pick<NodeConfig, 'role' | 'nodeId'>) {
  return {
    ...node,
    clusterId: manifest.clusterId,
    dataDirectory: nodeDirectory(cluster.dataDirectory, node.role, node.nodeId),
    internalSecret,
    controllers: set.controllerAddresses(),
    voters: manifest.voters,
    logLevel: 'info',
    configOverrides: { ...embeddedSettings, ...replicationDefaults(manifest.brokers.length), ...cluster.configOverrides },
  } as const
}

function internalListener(port: number): NodeListener {
  return { name: 'INTERNAL', host: LOOPBACK, port }
}

function brokerListeners({ manifest, ports, external }: NodeSetOptions, node: SupervisedNode): NodeListener[] {
  const port = node.view().port ?? 0
  return [
    ...ports.hosts.map((host) => ({ name: 'CLIENT', host, port })),
    ...externalListenersOf(external, manifest.brokers.indexOf(node.id)),
    internalListener(0),
  ]
}

/** A controller that comes back where it was need not be announced. */
async function controllerListeners({ env }: NodeSetOptions, set: NodeSet, nodeId: number): Promise<NodeListener[]> {
  const before = set.controllerAddresses().find(({ id }) => id === nodeId)?.port
  return [internalListener(before !== undefined && (await isFree(env, LOOPBACK, before)) ? before : 0)]
}

function onProcess({ watchdog, record }: NodeSetOptions, views: readonly NodeView[], event: 'started' | 'ended', pid: number): void {
  if (event === 'started') watchdog.watch(pid)
  else watchdog.forget(pid)
  record.update(
    views.flatMap((node) => (node.pid === null || (event === 'ended' && node.pid === pid) ? [] : [{ nodeId: node.id, pid: node.pid }])),
  )
}
