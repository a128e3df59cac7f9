import type { StoreDatabase } from './database.ts'

export interface StoredFilter {
  readonly id: number
  readonly scope: string
  readonly name: string
  /** As the form gave it; not looked into. */
  readonly content: string
  readonly savedMs: number
}

interface Row {
  id: number
  scope: string
  name: string
  content: string
  saved_ms: number
}

export interface FilterStore {
  list(scope: string): readonly StoredFilter[]
  /** Replaces the one with this scope and name. */
  save(filter: Omit<StoredFilter, 'id'>): StoredFilter
  remove(id: number): boolean
}

export function createFilterStore(database: StoreDatabase): FilterStore {
  const select = database.prepare<[string], Row>('SELECT * FROM saved_filter WHERE scope = ? ORDER BY name')
  const upsert = database.prepare<[string, string, string, number], Row>(`
    INSERT INTO saved_filter (scope, name, content, saved_ms) VALUES (?, ?, ?, ?)
    ON CONFLICT (scope, name) DO UPDATE SET content = excluded.content, saved_ms = excluded.saved_ms
    RETURNING *`)
  const remove = database.prepare('DELETE FROM saved_filter WHERE id = ?')
  return {
    list: (scope) => select.all(scope).map(fromRow),
    save(filter) {
      const row = upsert.get(filter.scope, filter.name, filter.content, filter.savedMs)
      if (row === undefined) throw new Error('SQLite returned no row for a saved filter')
      return fromRow(row)
    },
    remove: (id) => remove.run(id).changes > 0,
  }
}

function fromRow(row: Row): StoredFilter {
  return { id: row.id, scope: row.scope, name: row.name, content: row.content, savedMs: row.saved_ms }
}
