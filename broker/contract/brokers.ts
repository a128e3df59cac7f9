/** One broker of any cluster: its log directories and settings. The list of brokers is part of the overview. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId } from './common.ts'
import type { BrokerSummary } from './overview.ts'
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

export const brokersContract = {
  describe: procedure.input(v.object({ clusterId, brokerId: v.pipe(v.number(), v.integer(), v.minValue(0)) })).output(type<BrokerDetail>()),
}
