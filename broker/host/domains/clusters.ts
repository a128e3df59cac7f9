import { testConnection } from '../clusters/connection-test.ts'
import { HostError } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'

export function clustersRouter(services: HostServices) {
  const { clusters, journal, streams } = services
  return {
    list: implementer.clusters.list.handler(() => clusters.views()),
    watch: implementer.clusters.watch.handler(({ signal }) =>
      streams.state({ read: () => clusters.views(), changes: clusters.changes, intervalMs: 100 }, signal),
    ),
    test: implementer.clusters.test.handler(({ input, signal }) => testConnection(services, input.bootstrapServers, signal)),
    add: implementer.clusters.add.handler(({ input }) => {
      const view = clusters.addRemote(input)
      journal.change({
        clusterId: view.id,
        action: 'cluster.add',
        subject: view.name,
        summary: `Added the connection ${view.name} (${view.bootstrapServers.join(', ')}).`,
        after: { bootstrapServers: view.bootstrapServers, readOnly: view.readOnly },
      })
      return view
    }),
    update: implementer.clusters.update.handler(async ({ input: { clusterId, ...wished } }) => {
      const before = clusters.get(clusterId).view()
      const after = await clusters.update(clusterId, wished)
      const facts = ({ name, bootstrapServers, readOnly }: typeof before) => ({ name, bootstrapServers, readOnly })
      journal.change({
        clusterId,
        action: 'cluster.update',
        subject: after.name,
        summary: `Changed the connection ${after.name}.`,
        before: facts(before),
        after: facts(after),
      })
      return after
    }),
    remove: implementer.clusters.remove.handler(async ({ input }) => {
      const { name, bootstrapServers } = clusters.get(input.clusterId)
      demandConfirmation(input.confirmName, name, 'cluster')
      await services.queries.forget(input.clusterId)
      await clusters.remove(input.clusterId)
      journal.change({
        clusterId: null,
        action: 'cluster.remove',
        subject: name,
        summary: `Removed the connection ${name}.`,
        before: { bootstrapServers },
      })
      return null
    }),
    reconnect: implementer.clusters.reconnect.handler(({ input }) => {
      clusters.refresh(input.clusterId)
      return clusters.get(input.clusterId).view()
    }),
  }
}

/** Throws `CONFIRMATION_MISMATCH` unless the person typed the name of what is to go. */
export function demandConfirmation(typed: string, name: string, what: string): void {
  if (typed === name) return
  throw new HostError('CONFIRMATION_MISMATCH', `The name typed is not the name of the ${what}.`, {
    subject: name,
    advice: `Type "${name}" to confirm.`,
  })
}
