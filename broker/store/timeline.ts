/** The journal and the clusters' events read as one, newest first, and counted for a time axis. */
import { clusterEvent, type ClusterEventRow, type StoredClusterEvent } from './cluster-events.ts'
import type { StoreDatabase } from './database.ts'
import { journalEntry, type JournalEntry, type JournalTableRow } from './journal.ts'

export interface TimelineFilter {
  readonly clusterId: string | null
  /** Of the journal; empty: none. */
  readonly journalKinds: readonly ('change' | 'event')[]
  /** Of the clusters' events; empty: none. */
  readonly eventKinds: readonly string[]
  /** Subject of the journal's entry, or among the event's topics; an event with more topics than are kept matches every one. */
  readonly topic: string | null
  readonly brokerId: number | null
  /** Occurs in what is said, without case. */
  readonly filter: string
}

export interface TimelineQuery extends TimelineFilter {
  readonly fromMs: number | null
  readonly toMs: number | null
  readonly from: number
  readonly count: number
}

export type StoredTimelineRow =
  | { readonly source: 'journal'; readonly entry: JournalEntry }
  | { readonly source: 'cluster'; readonly event: StoredClusterEvent }

/** How many lines of one kind began in one slot. */
export interface TimelineCount {
  readonly slot: number
  /** `change` or `event` of the journal, else the event's kind. */
  readonly kind: string
  readonly count: number
  /** Entries of the journal that failed. */
  readonly failures: number
}

export interface TimelineStore {
  list(query: TimelineQuery): { readonly rows: readonly StoredTimelineRow[]; readonly total: number; readonly totalUnfiltered: number }
  /** Slots are counted from `fromMs`. */
  count(filter: TimelineFilter, fromMs: number, toMs: number, slotMs: number): readonly TimelineCount[]
}

interface Place {
  source: 'journal' | 'cluster'
  id: number
}

const inSpan =
  '(@fromMs IS NULL OR at_ms >= @fromMs) AND (@toMs IS NULL OR at_ms < @toMs) AND (@clusterId IS NULL OR cluster_id = @clusterId)'
const journalMatches = `
  ${inSpan} AND kind IN (SELECT value FROM json_each(@journalKinds))
  AND (@topic IS NULL OR subject = @topic) AND (@broker IS NULL OR subject = 'broker ' || @broker)
  AND (@filter = '' OR instr(lower(subject || ' ' || summary), @filter) > 0)`
const eventMatches = `
  ${inSpan} AND kind IN (SELECT value FROM json_each(@eventKinds))
  AND (@topic IS NULL OR instr(topics, char(10) || @topic || char(10)) > 0
    OR topic_count > max(0, length(topics) - length(replace(topics, char(10), '')) - 1))
  AND (@broker IS NULL OR (kind NOT IN ('controller-elected', 'quorum-lost', 'quorum-returned')
    AND instr(brokers, char(10) || @broker || char(10)) > 0))
  AND (@filter = '' OR instr(lower(summary || ' ' || topics), @filter) > 0)`

export function createTimelineStore(database: StoreDatabase): TimelineStore {
  const places = database.prepare<unknown[], Place>(`
    SELECT 'journal' AS source, id, at_ms FROM journal WHERE ${journalMatches}
    UNION ALL SELECT 'cluster', id, at_ms FROM cluster_event WHERE ${eventMatches}
    ORDER BY at_ms DESC, source, id DESC LIMIT @count OFFSET @from`)
  const totals = database.prepare<unknown[], { total: number }>(`
    SELECT (SELECT count(*) FROM journal WHERE ${journalMatches}) + (SELECT count(*) FROM cluster_event WHERE ${eventMatches}) AS total`)
  const all = database.prepare<unknown[], { total: number }>(`
    SELECT (SELECT count(*) FROM journal WHERE @clusterId IS NULL OR cluster_id = @clusterId)
      + (SELECT count(*) FROM cluster_event WHERE @clusterId IS NULL OR cluster_id = @clusterId) AS total`)
  const counts = database.prepare<unknown[], TimelineCount>(`
    SELECT CAST((at_ms - @fromMs) / @slotMs AS INTEGER) AS slot, kind, count(*) AS count, sum(failure IS NOT NULL) AS failures
      FROM journal WHERE ${journalMatches} GROUP BY 1, 2
    UNION ALL SELECT CAST((at_ms - @fromMs) / @slotMs AS INTEGER), kind, count(*), 0
      FROM cluster_event WHERE ${eventMatches} GROUP BY 1, 2`)
  const entries = database.prepare<[string], JournalTableRow>('SELECT * FROM journal WHERE id IN (SELECT value FROM json_each(?))')
  const events = database.prepare<[string], ClusterEventRow>('SELECT * FROM cluster_event WHERE id IN (SELECT value FROM json_each(?))')

  return {
    list(query) {
      const parameters = parametersOf(query)
      const found = places.all({ ...parameters, from: query.from, count: query.count })
      const idsOf = (source: Place['source']): string =>
        JSON.stringify(found.filter((place) => place.source === source).map(({ id }) => id))
      const entryById = new Map(entries.all(idsOf('journal')).map((row) => [row.id, row]))
      const eventById = new Map(events.all(idsOf('cluster')).map((row) => [row.id, row]))
      const rows = found.flatMap(({ source, id }): StoredTimelineRow[] => {
        const [entry, event] = [entryById.get(id), eventById.get(id)]
        if (source === 'journal') return entry === undefined ? [] : [{ source, entry: journalEntry(entry) }]
        return event === undefined ? [] : [{ source, event: clusterEvent(event) }]
      })
      return {
        rows,
        total: totals.get(parameters)?.total ?? 0,
        totalUnfiltered: all.get({ clusterId: query.clusterId })?.total ?? 0,
      }
    },
    count: (filter, fromMs, toMs, slotMs) => counts.all({ ...parametersOf({ ...filter, fromMs, toMs }), slotMs }),
  }
}

function parametersOf(filter: TimelineFilter & Pick<TimelineQuery, 'fromMs' | 'toMs'>) {
  return {
    clusterId: filter.clusterId,
    journalKinds: JSON.stringify(filter.journalKinds),
    eventKinds: JSON.stringify(filter.eventKinds),
    topic: filter.topic,
    broker: filter.brokerId === null ? null : String(filter.brokerId),
    filter: filter.filter.toLowerCase(),
    fromMs: filter.fromMs,
    toMs: filter.toMs,
  }
}
