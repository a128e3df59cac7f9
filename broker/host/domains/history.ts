import type { Series } from '../../contract/common.ts'
import type { HistoryStore } from '../../store/history.ts'

interface SpanInput {
  readonly clusterId: string
  readonly fromMs: number
  readonly toMs: number
  readonly pointsMax: number
}

/** A stored series in the form of the contract. */
export function readSeries(
  history: HistoryStore,
  { clusterId, fromMs, toMs, pointsMax }: SpanInput,
  what: { readonly label: string; readonly unit: Series['unit']; readonly metric: string; readonly subject: string },
): Series {
  const { points, resolutionMs } = history.read({ clusterId, metric: what.metric, subject: what.subject, fromMs, toMs, pointsMax })
  return { label: what.label, unit: what.unit, points, resolutionMs }
}
