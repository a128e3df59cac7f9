import type { StoreDatabase } from './database.ts'

/** Entries kept; the oldest are removed beyond it. */
export const journalEntriesMax = 100_000

export interface NewJournalEntry {
  readonly atMs: number
  readonly clusterId: string | null
  readonly kind: 'change' | 'event'
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly summary: string
  /** JSON text. */
  readonly before: string | null
  readonly after: string | null
  /** What undoes it, JSON text; `null` when nothing does. */
  readonly inverse: string | null
  readonly failure: string | null
}

export interface JournalEntry extends NewJournalEntry {
  readonly id: number
  /** The entry that undid this one. */
  readonly undoneBy: number | null
}

export interface JournalQuery {
  readonly clusterId: string | null
  readonly kind: 'change' | 'event' | null
  /** Occurs in subject or summary, without case. */
  readonly filter: string
  readonly from: number
  readonly count: number
}

export interface JournalTableRow {
  id: number
  at_ms: number
  cluster_id: string | null
  kind: 'change' | 'event'
  actor: string
  action: string
  subject: string
  summary: string
  before: string | null
  after: string | null
  inverse: string | null
  failure: string | null
  undone_by: number | null
}

export interface JournalStore {
  append(entry: NewJournalEntry): JournalEntry
  /** Newest first. */
  list(query: JournalQuery): { readonly rows: readonly JournalEntry[]; readonly total: number; readonly totalUnfiltered: number }
  get(id: number): JournalEntry | null
  /** Claims the undo: false when the entry was undone before. */
  markUndone(id: number, by: number): boolean
}

export function createJournalStore(database: StoreDatabase): JournalStore {
  const insert = database.prepare<unknown[], JournalTableRow>(`
    INSERT INTO journal (at_ms, cluster_id, kind, actor, action, subject, summary, before, after, inverse, failure)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *`)
  const prune = database.prepare(
    'DELETE FROM journal WHERE id <= ? AND id NOT IN (SELECT undone_by FROM journal WHERE undone_by IS NOT NULL)',
  )
  const byId = database.prepare<[number], JournalTableRow>('SELECT * FROM journal WHERE id = ?')
  const mark = database.prepare('UPDATE journal SET undone_by = ? WHERE id = ? AND undone_by IS NULL')
  const matching = `
    FROM journal WHERE (@clusterId IS NULL OR cluster_id = @clusterId) AND (@kind IS NULL OR kind = @kind)
    AND (@filter = '' OR instr(lower(subject || ' ' || summary), @filter) > 0)`
  const select = database.prepare<unknown[], JournalTableRow>(`SELECT * ${matching} ORDER BY id DESC LIMIT @count OFFSET @from`)
  const count = database.prepare<unknown[], { total: number }>(`SELECT count(*) AS total ${matching}`)

  return {
    append(entry) {
      const row = insert.get(
        entry.atMs,
        entry.clusterId,
        entry.kind,
        entry.actor,
        entry.action,
        entry.subject,
        entry.summary,
        entry.before,
        entry.after,
        entry.inverse,
        entry.failure,
      )
      if (row === undefined) throw new Error('SQLite returned no row for a journal entry')
      if (row.id % 1_000 === 0 && row.id > journalEntriesMax) prune.run(row.id - journalEntriesMax)
      return journalEntry(row)
    },
    list(query) {
      const parameters = { ...query, filter: query.filter.toLowerCase() }
      return {
        rows: select.all(parameters).map(journalEntry),
        total: count.get(parameters)?.total ?? 0,
        totalUnfiltered: count.get({ ...parameters, kind: null, filter: '' })?.total ?? 0,
      }
    },
    get(id) {
      const row = byId.get(id)
      return row === undefined ? null : journalEntry(row)
    },
    markUndone: (id, by) => mark.run(by, id).changes > 0,
  }
}

export function journalEntry(row: JournalTableRow): JournalEntry {
  return {
    id: row.id,
    atMs: row.at_ms,
    clusterId: row.cluster_id,
    kind: row.kind,
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    summary: row.summary,
    before: row.before,
    after: row.after,
    inverse: row.inverse,
    failure: row.failure,
    undoneBy: row.undone_by,
  }
}
