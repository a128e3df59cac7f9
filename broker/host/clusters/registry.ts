/**
 * The clusters of this host. Invariant: one session per id, started when the cluster becomes known and closed when it is
 * forgotten; ids never change hands while the host lives.
 */
import type { ClusterView } from '../../contract/clusters.ts'
import type { Env } from '../../env/types.ts'
import type { EmbeddedCluster } from '../../runtime/types.ts'
import type { Store } from '../../store/store.ts'
import type { CreateClient } from '../client-factory.ts'
import type { Journal } from '../journal.ts'
import { HostError } from '../problem.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import type { Samplers, SessionSamplers } from '../sampling/samplers.ts'
import { parseBootstrapServers } from './addresses.ts'
import { followNodes } from './node-events.ts'
import { createSession, type ClusterSession } from './session.ts'

export const clustersMax = 200

export interface ClusterRegistry {
  /** Throws `CLUSTER_NOT_FOUND`. */
  get(clusterId: string): ClusterSession
  all(): readonly ClusterSession[]
  views(): readonly ClusterView[]
  readonly changes: Changes
  addEmbedded(cluster: EmbeddedCluster, options?: { readonly id?: string; readonly name?: string }): ClusterView
  addRemote(input: { readonly name: string; readonly bootstrapServers: readonly string[]; readonly readOnly: boolean }): ClusterView
  update(
    clusterId: string,
    changes: { readonly name?: string; readonly bootstrapServers?: readonly string[]; readonly readOnly?: boolean },
  ): Promise<ClusterView>
  remove(clusterId: string): Promise<void>
  /** Samples the cluster again at once. */
  refresh(clusterId: string): void
  close(): Promise<void>
}

export interface RegistryOptions {
  readonly env: Env
  readonly store: Store
  readonly journal: Journal
  readonly samplers: Samplers
  readonly createClient: CreateClient
}

interface Entry {
  readonly session: ClusterSession
  readonly samplers: SessionSamplers
  readonly stop: () => void
}

export function createRegistry(options: RegistryOptions): ClusterRegistry {
  const { env, store, journal } = options
  const entries = new Map<string, Entry>()
  const changes = createChanges()

  function start(
    id: string,
    name: string,
    readOnly: boolean,
    bootstrapServers: readonly string[],
    embedded: EmbeddedCluster | null,
  ): ClusterSession {
    const session = createSession(env, { id, name, readOnly, bootstrapServers, embedded, createClient: options.createClient })
    const samplers = options.samplers.start(session)
    const stopState = session.changes.on(tellState(journal, session, changes))
    const stopNodes = embedded === null ? undefined : followNodes(env, journal, session, embedded, () => samplers.refresh())
    const stop = (): void => {
      stopState()
      stopNodes?.()
    }
    entries.set(id, { session, samplers, stop })
    return session
  }

  async function end(id: string): Promise<void> {
    const entry = entries.get(id)
    if (entry === undefined) return
    entries.delete(id)
    entry.stop()
    await entry.session.close()
  }

  function entryOf(clusterId: string): Entry {
    const entry = entries.get(clusterId)
    if (entry !== undefined) return entry
    throw new HostError('CLUSTER_NOT_FOUND', `There is no cluster "${clusterId}".`, {
      subject: clusterId,
      advice: 'It was removed. Choose another one.',
    })
  }

  function demandFreeName(name: string, except: string | null): void {
    const taken = [...entries.values()].some(({ session }) => session.id !== except && session.name.toLowerCase() === name.toLowerCase())
    if (taken)
      throw new HostError('CLUSTER_NAME_TAKEN', `A cluster named "${name}" exists already.`, {
        subject: name,
        advice: 'Choose another name.',
      })
  }

  function freeId(name: string): string {
    const base =
      name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, '-')
        .replaceAll(/^-+|-+$/g, '')
        .slice(0, 50) || 'cluster'
    let id = base
    for (let number = 2; entries.has(id); number += 1) id = `${base}-${number}`
    return id
  }

  for (const stored of store.connections.list()) {
    if (stored.kind === 'remote') start(stored.id, stored.name, stored.readOnly, stored.bootstrapServers, null)
  }

  return {
    get: (clusterId) => entryOf(clusterId).session,
    all: () => [...entries.values()].map(({ session }) => session),
    views: () => sorted([...entries.values()].map(({ session }) => session.view())),
    changes,
    addEmbedded(cluster, wished = {}) {
      const id = wished.id ?? freeId(wished.name ?? cluster.name)
      const stored = store.connections.list().find((connection) => connection.kind === 'embedded' && connection.id === id)
      const name = uniqueName(wished.name ?? cluster.name, entries)
      const session = start(id, name, stored?.readOnly ?? false, cluster.bootstrapServers.split(','), cluster)
      changes.emit()
      return session.view()
    },
    addRemote(input) {
      if (entries.size >= clustersMax)
        throw new HostError('INVALID_INPUT', `Weir keeps at most ${clustersMax} clusters.`, { advice: 'Remove one first.' })
      demandFreeName(input.name, null)
      const bootstrapServers = parseBootstrapServers(input.bootstrapServers)
      const id = freeId(input.name)
      store.connections.save({
        id,
        name: input.name,
        kind: 'remote',
        bootstrapServers,
        readOnly: input.readOnly,
        createdMs: env.clock.nowMs(),
      })
      const session = start(id, input.name, input.readOnly, bootstrapServers, null)
      changes.emit()
      return session.view()
    },
    async update(clusterId, wished) {
      const { session } = entryOf(clusterId)
      if (wished.name !== undefined) demandFreeName(wished.name, clusterId)
      const isEmbedded = session.embedded !== null
      if (isEmbedded && (wished.bootstrapServers !== undefined || wished.name !== undefined)) {
        throw new HostError('INVALID_INPUT', 'Of an embedded cluster only read-only can be changed.', { subject: session.name })
      }
      const bootstrapServers =
        wished.bootstrapServers === undefined ? session.bootstrapServers : parseBootstrapServers(wished.bootstrapServers)
      const next = { name: wished.name ?? session.name, readOnly: wished.readOnly ?? session.readOnly }
      store.connections.save({
        id: clusterId,
        ...next,
        kind: isEmbedded ? 'embedded' : 'remote',
        bootstrapServers,
        createdMs: env.clock.nowMs(),
      })
      if (bootstrapServers.join() === session.bootstrapServers.join()) {
        session.rename(next)
        return session.view()
      }
      await end(clusterId)
      const view = start(clusterId, next.name, next.readOnly, bootstrapServers, null).view()
      changes.emit()
      return view
    },
    async remove(clusterId) {
      const { session } = entryOf(clusterId)
      if (session.embedded !== null) {
        throw new HostError('INVALID_INPUT', 'The embedded cluster cannot be removed while it is open.', { subject: session.name })
      }
      store.connections.remove(clusterId)
      store.history.forgetCluster(clusterId)
      store.clusterEvents.forgetCluster(clusterId)
      await end(clusterId)
      changes.emit()
    },
    refresh: (clusterId) => entryOf(clusterId).samplers.refresh(),
    async close() {
      await Promise.all([...entries.keys()].map(end))
    },
  }
}

function sorted(views: readonly ClusterView[]): readonly ClusterView[] {
  return [...views].sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name))
}

function uniqueName(wished: string, entries: ReadonlyMap<string, Entry>): string {
  const names = new Set([...entries.values()].map(({ session }) => session.name.toLowerCase()))
  let name = wished
  for (let number = 2; names.has(name.toLowerCase()); number += 1) name = `${wished} ${number}`
  return name
}

/** Writes connection losses and returns down, once each, and passes every change on. */
function tellState(journal: Journal, session: ClusterSession, changes: Changes): () => void {
  let told = session.state.status
  return () => {
    const { state } = session
    if (state.status !== told) {
      told = state.status
      const base = { clusterId: session.id, subject: session.name }
      if (state.status === 'connected') journal.event({ ...base, action: 'cluster.connected', summary: `Connected to ${session.name}.` })
      if (state.status === 'unreachable') journal.event({ ...base, action: 'cluster.unreachable', summary: state.message })
    }
    changes.emit()
  }
}
