/**
 * What a screen may ask of the host. One contract, one implementation, three transports (message port, WebSocket, local
 * socket). Inputs are checked against these schemas by the host; outputs are plain data.
 */
import type { ContractRouterClient } from '@orpc/contract'
import { activityContract } from './activity.ts'
import { appContract } from './app.ts'
import { brokersContract } from './brokers.ts'
import { clustersContract } from './clusters.ts'
import { connectionsContract } from './connections.ts'
import { electionsContract } from './elections.ts'
import { groupsContract } from './groups.ts'
import { messagesContract } from './messages.ts'
import { nodesContract } from './nodes.ts'
import { overviewContract } from './overview.ts'
import { produceContract } from './produce.ts'
import { reassignmentsContract } from './reassignments.ts'
import { sampleContract } from './sample.ts'
import { searchContract } from './search.ts'
import { settingsContract } from './settings.ts'
import { topicsContract } from './topics.ts'

export const contract = {
  app: appContract,
  clusters: clustersContract,
  overview: overviewContract,
  brokers: brokersContract,
  elections: electionsContract,
  reassignments: reassignmentsContract,
  nodes: nodesContract,
  connections: connectionsContract,
  topics: topicsContract,
  messages: messagesContract,
  produce: produceContract,
  groups: groupsContract,
  activity: activityContract,
  settings: settingsContract,
  sample: sampleContract,
  search: searchContract,
}

/** A client of the host, whatever the transport: `createORPCClient<HostClient>(link)` of `@orpc/client`. */
export type HostClient = ContractRouterClient<typeof contract>

/** Path of the WebSocket on the host's web server. */
export const webSocketPath = '/rpc'
