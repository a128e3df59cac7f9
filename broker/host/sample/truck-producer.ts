/** Writes the trucks' reports: an hour of the past in one go, then each truck in turn as the workload's time goes by. */
import type { Producer, ProducerRecord } from '../../client/types.ts'
import { sampleTopic } from '../../contract/sample.ts'
import type { Env } from '../../env/types.ts'
import { pause } from '../rpc/waiting.ts'
import { reportIntervalMs, reportOf, reportPhaseMs, truckCount, truckKey } from './fleet.ts'
import type { WorkloadClock } from './workload-clock.ts'

export const backfillMs = 60 * 60_000
export const backfillCount = (backfillMs / reportIntervalMs) * truckCount
const backfillBatch = 2_000
const tickMs = 50
/** Reports of one tick; after a standstill (a laptop asleep) what is older is left out. */
const reportsPerTickMax = 2_000

export interface ProducerCounts {
  producedCount: number
  failedCount: number
  /** Of the record written last; `null` when that went well. */
  lastFailure: string | null
}

/** Past reports in the order of their time, with that time as timestamp. Rejects when one could not be written. */
export async function backfill(
  producer: Producer,
  options: { readonly env: Env; readonly signal: AbortSignal; readonly onWritten: (count: number) => void },
): Promise<void> {
  const startMs = options.env.clock.nowMs() - backfillMs
  const intervals = backfillMs / reportIntervalMs
  let batch: ProducerRecord[] = []
  const flush = async (): Promise<void> => {
    const results = await producer.sendAll(batch, { signal: options.signal })
    const failed = results.find((result) => result.error !== null)
    if (failed?.error) throw failed.error
    options.onWritten(batch.length)
    batch = []
  }
  for (let interval = 0; interval < intervals && !options.signal.aborted; interval += 1) {
    for (let truck = 0; truck < truckCount; truck += 1) {
      batch.push(recordOf(truck, startMs + interval * reportIntervalMs + reportPhaseMs(truck), null))
    }
    if (batch.length >= backfillBatch) await flush()
  }
  if (batch.length > 0 && !options.signal.aborted) await flush()
}

/** Reports until `signal` aborts. A record that cannot be written is counted, and the next one is tried. */
export async function produceLive(
  producer: Producer,
  options: { readonly env: Env; readonly clock: WorkloadClock; readonly signal: AbortSignal; readonly counts: ProducerCounts },
): Promise<void> {
  const { env, clock, signal, counts } = options
  let reportedUpTo = reportNumber(clock.nowMs())
  while (!signal.aborted) {
    await pause(env, tickMs, signal)
    if (signal.aborted) return
    const due = reportNumber(clock.nowMs())
    const first = Math.max(reportedUpTo, due - reportsPerTickMax)
    const records: ProducerRecord[] = []
    for (let report = first; report < due; report += 1) {
      records.push(recordOf(report % truckCount, timeOfReport(report), env.clock.nowMs()))
    }
    reportedUpTo = due
    if (records.length === 0) continue
    for (const result of await producer.sendAll(records, { signal })) {
      if (result.error === null) counts.producedCount += 1
      else counts.failedCount += 1
      counts.lastFailure = result.error?.message ?? null
    }
  }
}

/** Reports of the whole fleet are numbered through: truck after truck, interval after interval. */
function reportNumber(timeMs: number): number {
  return Math.floor((timeMs * truckCount) / reportIntervalMs)
}

function timeOfReport(report: number): number {
  return Math.round((report * reportIntervalMs) / truckCount)
}

function recordOf(truck: number, timeMs: number, timestampMs: number | null): ProducerRecord {
  return { topic: sampleTopic, key: truckKey(truck), value: reportOf(truck, timeMs), timestampMs: timestampMs ?? timeMs }
}
