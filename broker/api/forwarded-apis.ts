/** The APIs a broker passes on to the active controller. */
import { createTopics } from './19-create-topics.schema.ts'
import { createTopicsFailure } from './19-create-topics.ts'
import { deleteTopics } from './20-delete-topics.schema.ts'
import { deleteTopicsFailure } from './20-delete-topics.ts'
import { alterConfigs } from './33-alter-configs.schema.ts'
import { createPartitions } from './37-create-partitions.schema.ts'
import { createPartitionsFailure } from './37-create-partitions.ts'
import { electLeaders } from './43-elect-leaders.schema.ts'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.schema.ts'
import { describeQuorum } from './55-describe-quorum.schema.ts'
import { updateFeatures } from './57-update-features.schema.ts'
import { unregisterBroker } from './64-unregister-broker.schema.ts'
import { alterConfigsFailure } from './altered-configs.ts'
import { forwardedApi, type ApiDefinition } from './registry.ts'

export const forwardedApis: readonly ApiDefinition<unknown>[] = [
  forwardedApi(createTopics, { listeners: 'everywhere', failure: createTopicsFailure }),
  forwardedApi(deleteTopics, { listeners: 'everywhere', failure: deleteTopicsFailure }),
  forwardedApi(alterConfigs, { listeners: 'everywhere', failure: alterConfigsFailure }),
  forwardedApi(createPartitions, { listeners: 'everywhere', failure: createPartitionsFailure }),
  forwardedApi(electLeaders, { listeners: 'everywhere' }),
  forwardedApi(incrementalAlterConfigs, { listeners: 'everywhere', failure: alterConfigsFailure }),
  forwardedApi(describeQuorum, { listeners: 'everywhere' }),
  forwardedApi(updateFeatures, { listeners: 'everywhere' }),
  forwardedApi(unregisterBroker, { listeners: 'everywhere' }),
]
