/**
 * The process of one node: reads its configuration, starts the broker or controller, and lives as long as its owner.
 *
 * The owner forks it with a message channel and a configuration in WEIR_NODE_CONFIG (or a file named by the first
 * argument). Life cycle over the channel, and nothing else:
 *
 *   to the owner:   listening {listeners} · ready · left · stopping · stopped · fatal {reason} · connections {list}
 *   from the owner: config {controllers} · ended {nodeId} (a hint, to controllers) · leave · stop · connections
 *
 * When the channel closes the owner is gone, and the process ends at once. The terminal's SIGINT is the owner's to
 * handle. This is the only file of the broker that touches `process`; everything it runs is imported after the
 * compile cache is on.
 */
import { enableCompileCache, flushCompileCache } from 'node:module'
import type { Env } from '../env/types.ts'
import type { NodeConfig } from './config.ts'
import type { BoundListener, RunningNode } from './running-node.ts'

type ToOwner =
  | { readonly type: 'listening'; readonly listeners: readonly BoundListener[] }
  | { readonly type: 'ready' | 'left' | 'stopping' | 'stopped' }
  | { readonly type: 'fatal'; readonly reason: string }
  | { readonly type: 'connections'; readonly list: readonly unknown[] }

const hasOwner = process.send !== undefined
let node: RunningNode | null = null
let isStopping = false
/** Addresses that arrive while the node is still starting. */
const earlyControllers: NodeConfig['controllers'][] = []

process.on('SIGINT', () => {
  if (!hasOwner) void stop()
})
process.on('SIGTERM', () => void stop())
process.on('disconnect', () => process.exit(1))
process.on('message', (message) => onMessage(message))
process.on('uncaughtException', (error) => fatal(error))
process.on('unhandledRejection', (reason) => fatal(reason))

enableCompileCache()
await start().catch((error: unknown) => fatal(error))

async function start(): Promise<void> {
  const [{ parseNodeConfig }, { createRealEnv }, { createStderrLogger }] = await Promise.all([
    import('./config.ts'),
    import('../env/real.ts'),
    import('../env/stderr-logger.ts'),
  ])
  const config = parseNodeConfig(await configText())
  process.title = `weir ${config.role} ${config.nodeId}`
  const env = createRealEnv({ log: createStderrLogger({ minimumLevel: config.logLevel }) })
  const started = await create(env, config)
  node = started
  if (isStopping) return
  for (const controllers of earlyControllers.splice(0)) started.setControllers(controllers)
  void started.failed.then((reason: string) => fatal(reason))
  await tell({ type: 'listening', listeners: started.listeners })
  await started.ready
  flushCompileCache()
  await tell({ type: 'ready' })
}

/** Only the code of the role is loaded. */
async function create(env: Env, config: NodeConfig): Promise<RunningNode> {
  if (config.companion !== undefined) return (await import('./combined.ts')).createCombined(env, config, config.companion)
  if (config.role === 'broker') return (await import('./broker.ts')).createBroker(env, config)
  return (await import('./controller.ts')).createController(env, config)
}

async function configText(): Promise<string> {
  const file = process.argv[2]
  if (file === undefined) return process.env['WEIR_NODE_CONFIG'] ?? ''
  const { readFile } = await import('node:fs/promises')
  return readFile(file, 'utf8')
}

function onMessage(message: unknown): void {
  if (typeof message !== 'object' || message === null || !('type' in message)) return
  switch (message.type) {
    case 'stop':
      void stop()
      break
    case 'leave':
      void leave()
      break
    case 'config':
      void onControllers((message as { controllers?: unknown }).controllers)
      break
    case 'ended':
      node?.nodeEnded?.(Number((message as { nodeId?: unknown }).nodeId))
      break
    case 'connections':
      void tell({ type: 'connections', list: connections() })
      break
  }
}

async function onControllers(given: unknown): Promise<void> {
  const { parseControllers } = await import('./config.ts')
  const controllers = parseControllers(Array.isArray(given) ? given : [])
  if (node === null) earlyControllers.push(controllers)
  else node.setControllers(controllers)
}

function connections(): readonly unknown[] {
  return (node?.connections() ?? []).map((connection) => ({
    id: String(connection.id),
    remote: `${connection.remoteHost}:${connection.remotePort}`,
    listener: connection.listenerName,
    clientId: connection.clientId,
    softwareName: connection.softwareName,
    softwareVersion: connection.softwareVersion,
    connectedMs: connection.connectedMs,
    lastActivityMs: connection.lastRequestMs ?? connection.connectedMs,
    bytesIn: connection.bytesIn,
    bytesOut: connection.bytesOut,
    requests: connection.requestCount,
    lastError: connection.lastError,
  }))
}

async function leave(): Promise<void> {
  await node?.leave?.()
  await tell({ type: 'left' })
}

async function stop(): Promise<void> {
  if (isStopping) return
  isStopping = true
  await tell({ type: 'stopping' })
  await node?.stop()
  await tell({ type: 'stopped' })
  process.exit(0)
}

/** Says why on stderr and to the owner, and ends: a node in an unknown state must not go on serving. */
function fatal(cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const detail = cause instanceof Error ? (cause.stack ?? reason) : reason
  process.stderr.write(`${new Date().toISOString()} FATAL ${detail}\n`)
  void tell({ type: 'fatal', reason }).finally(() => process.exit(1))
}

/** Resolves when the message is handed over, also when nobody is there to take it. */
function tell(message: ToOwner): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, () => resolve())
  })
}
