/**
 * A console onto a cluster that another process runs: every screen gets a connection of its own to that process's socket, and what
 * passes is the contract, unread. Nothing of the cluster or the profile is opened here. Invariant: both ends of a connection close together.
 */
import type { Env } from '../env/types.ts'
import { holderSentence, readOwner, type Owner } from '../runtime/ownership.ts'
import { RuntimeError } from '../runtime/types.ts'
import { connectLocal, type LocalConnection } from './local-client.ts'
import { openLocalPort } from './local-socket.ts'
import { pause, within } from './rpc/waiting.ts'
import type { HostPort } from './transports/host-port.ts'
import { serveWeb, type WebServer } from './web-server.ts'

/** An owner that has just started serves its socket once its console is made. */
const answersWithinMs = 10_000
const retryMs = 100

export interface AttachedHost {
  readonly owner: Owner
  /** One screen. */
  attach(port: HostPort): void
  serveWeb(options: { readonly port?: number; readonly rendererDirectory: string }): Promise<WebServer>
  /** Resolves when the owner has ended: every screen is cut off by then. */
  readonly lost: Promise<void>
  close(): Promise<void>
}

export interface AttachOptions {
  readonly dataDirectory: string
  /** The owner must be of the same: the screen comes from here and what it asks is answered there. */
  readonly version: string
  readonly signal?: AbortSignal
}

/**
 * Attaches to whoever runs the folder. Rejects with a `RuntimeError` (FOLDER_IN_USE), naming it, when it does not answer within 10 s or is
 * another version, and with the signal's reason.
 */
export async function attachToOwner(env: Env, options: AttachOptions): Promise<AttachedHost> {
  const { owner, connection } = await reachOwner(env, options)
  const lost = Promise.withResolvers<void>()
  connection.onClose(() => lost.resolve())
  const ports = new Set<HostPort>()
  const servers: WebServer[] = []

  const attach = (screen: HostPort): void => {
    const remote = openLocalPort(owner.socketPath)
    ports.add(remote)
    remote.onClose(() => ports.delete(remote))
    joinPorts(screen, remote)
  }

  return {
    owner,
    attach,
    async serveWeb({ port = 0, rendererDirectory }) {
      const server = await serveWeb(env, { port, rendererDirectory, onPort: attach })
      servers.push(server)
      return server
    },
    lost: lost.promise,
    async close() {
      for (const port of ports) port.close()
      connection.close()
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}

async function reachOwner(
  env: Env,
  { dataDirectory, version, signal }: AttachOptions,
): Promise<{ readonly owner: Owner; readonly connection: LocalConnection }> {
  const deadlineMs = env.clock.monotonicMs() + answersWithinMs
  for (;;) {
    signal?.throwIfAborted()
    const owner = await readOwner(env, dataDirectory)
    const connection = owner === null ? null : await connectLocal(owner.socketPath).catch(() => null)
    if (owner !== null && connection !== null) {
      const leftMs = Math.max(0, deadlineMs - env.clock.monotonicMs())
      const info = await within(env, leftMs, connection.client.app.info(), null).catch(() => null)
      if (info?.version === version) return { owner, connection }
      connection.close()
      if (info !== null)
        throw notAttachable(
          dataDirectory,
          owner,
          `It is Weir ${info.version} and this is ${version}: stop that one, or use its own console.`,
        )
    }
    if (env.clock.monotonicMs() >= deadlineMs)
      throw notAttachable(dataDirectory, owner, 'It does not answer, so no console can be opened onto it: stop it and start again.')
    await pause(env, retryMs, signal)
  }
}

function notAttachable(dataDirectory: string, owner: Owner | null, why: string): RuntimeError {
  return new RuntimeError('FOLDER_IN_USE', `${dataDirectory} ${holderSentence(owner)} ${why}`)
}

/** Passes on what comes from either end, and its close. */
export function joinPorts(one: HostPort, other: HostPort): void {
  passOn(one, other)
  passOn(other, one)
}

function passOn(from: HostPort, to: HostPort): void {
  from.onMessage((data) => {
    if (typeof data === 'string' || data instanceof Uint8Array) to.postMessage(data)
    else if (data instanceof ArrayBuffer) to.postMessage(new Uint8Array(data))
    else from.close()
  })
  from.onClose(() => to.close())
}
