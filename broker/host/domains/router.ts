import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'
import { activityRouter } from './activity.ts'
import { appRouter } from './app.ts'
import { brokersRouter } from './brokers.ts'
import { clustersRouter } from './clusters.ts'
import { connectionsRouter } from './connections.ts'
import { electionsRouter } from './elections.ts'
import { groupsRouter } from './groups.ts'
import { messagesRouter } from './messages.ts'
import { nodesRouter } from './nodes.ts'
import { overviewRouter } from './overview.ts'
import { produceRouter } from './produce.ts'
import { reassignmentsRouter } from './reassignments.ts'
import { sampleRouter } from './sample.ts'
import { searchRouter } from './search.ts'
import { settingsRouter } from './settings.ts'
import { topicsRouter } from './topics.ts'

/** The whole contract, implemented. The same for every transport. */
export function createRouter(services: HostServices) {
  return implementer.router({
    app: appRouter(services),
    clusters: clustersRouter(services),
    overview: overviewRouter(services),
    brokers: brokersRouter(services),
    elections: electionsRouter(services),
    reassignments: reassignmentsRouter(services),
    nodes: nodesRouter(services),
    connections: connectionsRouter(services),
    topics: topicsRouter(services),
    messages: messagesRouter(services),
    produce: produceRouter(services),
    groups: groupsRouter(services),
    activity: activityRouter(services),
    settings: settingsRouter(services),
    sample: sampleRouter(services),
    search: searchRouter(services),
  })
}

export type HostRouter = ReturnType<typeof createRouter>
