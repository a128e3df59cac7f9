/** Sending records by hand: one, or the same one repeatedly. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, partitionIndex, timestampMs, topicName } from './common.ts'
import type { Problem } from './errors.ts'
import { streamOf } from './stream.ts'

/** Characters of a key, value or header value that can be typed. */
export const payloadCharactersMax = 16 * 1024 * 1024
export const repeatCountMax = 1_000_000

const payload = v.object({
  /** `text`: sent as UTF-8. `hex`: pairs, blanks allowed. */
  encoding: v.optional(v.picklist(['text', 'hex', 'base64']), 'text'),
  /** May hold `{{index}}` (0-based repeat number), `{{timestamp}}` (ms) and `{{uuid}}` when `useTemplates` is set. */
  text: v.pipe(v.string(), v.maxLength(payloadCharactersMax)),
})
export type PayloadInput = v.InferInput<typeof payload>

export const recordInput = v.object({
  clusterId,
  topic: topicName,
  /** `null`: by key (murmur2, as Kafka's own clients); round-robin without a key. */
  partition: v.optional(v.nullable(partitionIndex), null),
  /** `null`: no key. */
  key: v.optional(v.nullable(payload), null),
  /** `null`: a tombstone. */
  value: v.nullable(payload),
  headers: v.optional(
    v.pipe(v.array(v.object({ key: v.pipe(v.string(), v.maxLength(10_000)), value: v.nullable(payload) })), v.maxLength(1_000)),
    [],
  ),
  /** `null`: now. */
  timestampMs: v.optional(v.nullable(timestampMs), null),
  compression: v.optional(v.picklist(['none', 'gzip', 'snappy', 'lz4', 'zstd']), 'none'),
  acks: v.optional(v.picklist(['all', 'leader', 'none']), 'all'),
  useTemplates: v.optional(v.boolean(), false),
})
export type RecordInput = v.InferInput<typeof recordInput>

/** Where a record landed. */
export interface Landed {
  readonly topic: string
  readonly partition: number
  /** `null` with acks `none`: the broker does not say. */
  readonly offset: number | null
  readonly timestampMs: number
  readonly timestampType: 'create' | 'append'
  /** From sending to acknowledgement. */
  readonly elapsedMs: number
  readonly activityId: number | null
}

export interface RepeatProgress {
  readonly sent: number
  readonly total: number
  readonly failed: number
  readonly last: Landed | null
  readonly lastProblem: Problem | null
  readonly recordsPerSecond: number
  readonly isDone: boolean
}

export const produceContract = {
  /** Resolves once acknowledged. */
  send: procedure.input(recordInput).output(type<Landed>()),
  /** Aborting the call stops it; what was sent stays sent. Ends after `isDone`; at most ten events a second. */
  repeat: procedure
    .input(
      v.object({
        record: recordInput,
        count: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(repeatCountMax)),
        /** Between two records; 0: as fast as they are acknowledged. */
        intervalMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3_600_000)),
      }),
    )
    .output(streamOf<RepeatProgress>()),
}
