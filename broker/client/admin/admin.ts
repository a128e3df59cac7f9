import type { Admin } from '../admin-types.ts'
import type { CallOptions } from '../basic-types.ts'
import type { Call } from '../call.ts'
import { listOffsets } from '../consume/list-offsets.ts'
import type { ClientCore } from '../core.ts'
import { deleteRecords, describeCluster, describeLogDirs, electLeaders } from './cluster.ts'
import { describeConfigs, incrementalAlterConfigs } from './configs.ts'
import { alterOffsets, deleteOffsets, fetchOffsets } from './group-offsets.ts'
import { deleteGroups, describeGroups, listGroups } from './groups.ts'
import { alterReassignments, listReassignments } from './reassignments.ts'
import { createPartitions, createTopics, deleteTopics, describeTopics, listTopics } from './topics.ts'

/** The administrative calls of one client; each is carried out in a file of this folder. */
export function createAdmin(core: ClientCore): Admin {
  const call = (what: string, options: CallOptions = {}): Call => core.call(what, options)
  return {
    listTopics: (options) => listTopics(core, call('Listing topics', options)),
    describeTopics: (names, options) => describeTopics(core, names, call('Describing topics', options)),
    createTopics: (topics, options) => createTopics(core, topics, options?.validateOnly ?? false, call('Creating topics', options)),
    deleteTopics: (names, options) => deleteTopics(core, names, call('Deleting topics', options)),
    createPartitions: (topics, options) =>
      createPartitions(core, topics, options?.validateOnly ?? false, call('Creating partitions', options)),
    describeConfigs: (resources, options) => describeConfigs(core, resources, options ?? {}, call('Describing settings', options)),
    incrementalAlterConfigs: (resources, options) =>
      incrementalAlterConfigs(core, resources, options?.validateOnly ?? false, call('Changing settings', options)),
    listGroups: (options) => listGroups(core, options ?? {}, call('Listing groups', options)),
    describeGroups: (groupIds, options) => describeGroups(core, groupIds, call('Describing groups', options)),
    deleteGroups: (groupIds, options) => deleteGroups(core, groupIds, call('Deleting groups', options)),
    fetchOffsets: (groups, options) => fetchOffsets(core, groups, options?.requireStable ?? false, call('Fetching offsets', options)),
    alterOffsets: (groupId, offsets, options) => alterOffsets(core, groupId, offsets, call('Altering offsets', options)),
    deleteOffsets: (groupId, partitions, options) => deleteOffsets(core, groupId, partitions, call('Deleting offsets', options)),
    listOffsets: (queries, options) =>
      listOffsets(core, queries, options?.isolation ?? 'read_uncommitted', call('Listing offsets', options)),
    deleteRecords: (targets, options) => deleteRecords(core, targets, call('Deleting records', options)),
    describeLogDirs: (options) => describeLogDirs(core, options ?? {}, call('Describing log directories', options)),
    describeCluster: (options) => describeCluster(core, call('Describing the cluster', options)),
    electLeaders: (type, partitions, options) => electLeaders(core, type, partitions, call('Electing leaders', options)),
    alterPartitionReassignments: (wished, options) => alterReassignments(core, wished, call('Reassigning partitions', options)),
    listPartitionReassignments: (partitions, options) => listReassignments(core, partitions, call('Listing reassignments', options)),
  }
}
