/** Which segments a log must let go, and why. Pure: the log measures, this decides, the log deletes. */
import type { LogConfig } from './topic-config.ts'

export interface SegmentFacts {
  /** Where the next segment begins, or the log end. */
  readonly endOffset: number
  readonly bytes: number
  /** The newest record's time; the file's when no record has one. */
  readonly newestMs: number
}

export type RetentionReason = 'time' | 'size' | 'log start'

export interface RetentionDecision {
  /** How many segments to delete, oldest first; it may include the active one, which is then rolled first. */
  readonly count: number
  readonly reasons: readonly RetentionReason[]
}

export interface RetentionInput {
  /** Oldest first, the active one last. */
  readonly segments: readonly SegmentFacts[]
  readonly config: LogConfig
  readonly logStartOffset: number
  /** Nothing at or above it may go. */
  readonly highWatermark: number
  readonly nowMs: number
}

export function decideRetention(input: RetentionInput): RetentionDecision {
  const { segments, config } = input
  const reasons: RetentionReason[] = []
  let totalBytes = segments.reduce((sum, segment) => sum + segment.bytes, 0)
  for (const segment of segments) {
    if (segment.endOffset > input.highWatermark) break
    const reason = reasonToDelete(segment, totalBytes, input, config)
    // The last segment with nothing in it is where the log goes on.
    if (reason === null || (segment.bytes === 0 && segment === segments.at(-1))) break
    reasons.push(reason)
    totalBytes -= segment.bytes
  }
  return { count: reasons.length, reasons }
}

function reasonToDelete(
  segment: SegmentFacts,
  totalBytes: number,
  { logStartOffset, nowMs }: RetentionInput,
  config: LogConfig,
): RetentionReason | null {
  if (segment.endOffset <= logStartOffset) return 'log start'
  if (!config.isDeleted) return null
  if (config.retentionMs >= 0 && nowMs - segment.newestMs > config.retentionMs) return 'time'
  // As in Kafka: only while what stays is still at least the limit.
  if (config.retentionBytes >= 0 && totalBytes - segment.bytes >= config.retentionBytes) return 'size'
  return null
}
