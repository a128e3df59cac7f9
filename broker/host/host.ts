/**
 * The host: the contract implemented, on any number of clusters and for any number of screens. It owns the store, one session
 * per cluster, the message worker and the sample workload; embedded clusters stay their owner's. `close` ends all it owns.
 */
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { RPCHandler } from '@orpc/server/message-port'
import { createClient } from '../client/client.ts'
import type { ClusterView } from '../contract/clusters.ts'
import type { Env } from '../env/types.ts'
import type { EmbeddedCluster } from '../runtime/types.ts'
import { openStore } from '../store/store.ts'
import { consoleClientId, type CreateClient } from './client-factory.ts'
import { createRegistry } from './clusters/registry.ts'
import { createRouter } from './domains/router.ts'
import { startSample } from './domains/sample.ts'
import { createJournal } from './journal.ts'
import { serveLocalSocket } from './local-socket.ts'
import type { QueryEngine } from './messages/engine-port.ts'
import { HostError } from './problem.ts'
import { createReassignments } from './reassignments/manager.ts'
import { createStreams } from './rpc/streams.ts'
import { createSampleManager } from './sample/manager.ts'
import { createSamplers } from './sampling/samplers.ts'
import type { HostServices } from './services.ts'
import { createTimelineRecorder } from './timeline/timeline-recorder.ts'
import { fromPlatformPort, servePort, type HostPort, type PlatformPort } from './transports/host-port.ts'
import { serveWeb } from './web-server.ts'
import { createWorkerEngine } from './workers/worker-engine.ts'

export interface HostOptions {
  readonly env: Env
  /** The profile folder: the database and what queries spill. Created when absent. */
  readonly dataDirectory: string
  readonly version: string
  readonly embedded?: readonly EmbeddedEntry[]
  /** The screen's built files, for `serveWeb`. */
  readonly rendererDirectory?: string
  /** In place of the Kafka client and of the message worker: tests. */
  readonly createClient?: CreateClient
  readonly queries?: QueryEngine
}

export interface EmbeddedEntry {
  readonly cluster: EmbeddedCluster
  /** In every address and row of history; made from the name when absent. */
  readonly id?: string
  readonly name?: string
}

export interface Host {
  /** A message port of a worker thread or of Electron: one window. */
  attachPort(port: PlatformPort): void
  /** Any other way to a screen. */
  attach(port: HostPort): void
  /** Serves the screen and the contract on 127.0.0.1. The address holds the token that lets a browser in. */
  serveWeb(options: { readonly port?: number }): Promise<{ readonly url: string; readonly port: number; close(): Promise<void> }>
  /** Serves the contract on a Unix socket or named pipe that only this user may open. */
  serveSocket(path: string): Promise<{ close(): Promise<void> }>
  addEmbedded(entry: EmbeddedEntry): ClusterView
  /** Starts the sample workload at life's speed. */
  startSample(clusterId: string): void
  /** Subscriptions of all screens. */
  readonly openStreamCount: number
  close(): Promise<void>
}

export async function createHost(options: HostOptions): Promise<Host> {
  const { env, dataDirectory, version } = options
  await env.disk.makeDirectory(dataDirectory)
  const store = openStore(join(dataDirectory, 'weir.sqlite'))
  const ending = new AbortController()
  const makeClient = options.createClient ?? ((servers, clientId) => clientFor(env, version, servers, clientId))
  const journal = createJournal(env, store.journal, userName())
  const timeline = createTimelineRecorder(env, store.clusterEvents)
  const samplers = createSamplers(env, store, timeline, ending.signal)
  const clusters = createRegistry({ env, store, journal, samplers, createClient: makeClient })
  const reassignments = createReassignments(env, store.settings, journal)
  const services: HostServices = {
    env,
    store,
    journal,
    timeline,
    clusters,
    streams: createStreams(env),
    queries:
      options.queries ?? createWorkerEngine(env, { spillDirectory: await spillDirectory(env, dataDirectory), clientVersion: version }),
    samples: createSampleManager(env, makeClient),
    reassignments,
    createClient: makeClient,
    version,
    dataDirectory,
    startedMs: env.clock.nowMs(),
  }
  const handler = new RPCHandler(createRouter(services))
  const open = new Set<{ close(): Promise<void> }>()
  const ports = new Set<HostPort>()
  for (const { cluster, ...entry } of options.embedded ?? []) clusters.addEmbedded(cluster, entry)
  for (const session of clusters.all()) reassignments.resume(session)

  function serve(port: HostPort): void {
    ports.add(port)
    port.onClose(() => ports.delete(port))
    servePort(env, handler, port)
  }

  async function close(): Promise<void> {
    if (ending.signal.aborted) return
    ending.abort()
    await services.samples.close()
    for (const port of ports) port.close()
    await Promise.all([...open].map((server) => server.close()))
    await Promise.all([clusters.close(), services.queries.shutdown()])
    store.close()
  }

  return {
    attachPort: (port) => serve(fromPlatformPort(port)),
    attach: serve,
    async serveWeb({ port = 0 }) {
      if (options.rendererDirectory === undefined) throw new HostError('INVALID_INPUT', 'This host has no screen to serve.')
      const server = await serveWeb(env, { port, rendererDirectory: options.rendererDirectory, onPort: serve })
      open.add(server)
      return server
    },
    async serveSocket(path) {
      const server = await serveLocalSocket(path, serve)
      open.add(server)
      return server
    },
    addEmbedded({ cluster, ...entry }) {
      const view = clusters.addEmbedded(cluster, entry)
      reassignments.resume(clusters.get(view.id))
      return view
    },
    startSample: (clusterId) => void startSample(services, clusterId, 1),
    get openStreamCount() {
      return services.streams.openCount
    },
    close,
  }
}

function clientFor(env: Env, version: string, bootstrapServers: readonly string[], clientId: string = consoleClientId) {
  return createClient(env, { bootstrapServers, clientId, softwareName: 'weir', softwareVersion: version, connectTimeoutMs: 5_000 })
}

/** Of this process alone: two Weirs may share a profile. What ended processes have left is removed. */
async function spillDirectory(env: Env, dataDirectory: string): Promise<string> {
  const parent = join(dataDirectory, 'queries')
  for (const name of (await env.disk.list(parent)) ?? []) {
    if (/^\d+$/.test(name) && !isAlive(Number(name))) await env.disk.removeTree(join(parent, name))
  }
  return join(parent, String(process.pid))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is alive too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user id without a name, as in containers.
    return 'unknown'
  }
}
