/**
 * One broker of any cluster: its log directories and settings; and which broker holds, leads and follows each partition of a topic. The list
 * of brokers is part of the overview.
 */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, ofTopic, pageWindow } from './common.ts'
import type { BrokerSummary, PartitionAilment } from './overview.ts'
import { streamOf } from './stream.ts'
import type { SettingView } from './topic-settings.ts'

export interface LogDirectoryView {
  readonly path: string
  /** Of all replicas in it. */
  readonly bytes: number
  readonly replicaCount: number
  /** `null` when the broker does not say. */
  readonly totalBytes: number | null
  readonly freeBytes: number | null
  /** Kafka's error name when the directory failed. */
  readonly error: string | null
}

export interface BrokerDetail {
  readonly broker: BrokerSummary
  /** `null` when the broker did not answer; `gaps` says why. */
  readonly logDirectories: readonly LogDirectoryView[] | null
  readonly settings: readonly SettingView[] | null
  readonly gaps: readonly string[]
}

/** `offline`: its broker is not alive, or its log directory failed. `catching-up`: not in sync. */
export type ReplicaState = 'leader' | 'in-sync' | 'catching-up' | 'offline'

/** One partition across the brokers. */
export interface ReplicaRow {
  readonly partition: number
  readonly leader: number | null
  /** `null` where the cluster does not say. */
  readonly leaderEpoch: number | null
  /** In the order of assignment: the first is the preferred leader. */
  readonly replicas: readonly { readonly brokerId: number; readonly state: ReplicaState }[]
  /** `null`: nothing ails it. */
  readonly ailment: PartitionAilment | null
}

export interface ReplicaPage {
  readonly asOfMs: number
  readonly topic: string
  /** Brokers that hold a replica of the topic, by id. */
  readonly brokerIds: readonly number[]
  /** A window of the partitions. */
  readonly rows: readonly ReplicaRow[]
  readonly from: number
  readonly total: number
  readonly minInSyncReplicas: number | null
}

export const brokersContract = {
  /** From what is known, without asking a broker: again whenever a leader or an in-sync set changes. */
  watchReplicas: procedure.input(v.object({ ...ofTopic.entries, ...pageWindow.entries })).output(streamOf<ReplicaPage>()),

  describe: procedure.input(v.object({ clusterId, brokerId: v.pipe(v.number(), v.integer(), v.minValue(0)) })).output(type<BrokerDetail>()),
}
