import type { StoreDatabase } from './database.ts'

/** Name-value pairs; values are JSON. What names mean is the caller's. */
export interface SettingStore {
  all(): Readonly<Record<string, unknown>>
  set(values: Readonly<Record<string, unknown>>): void
}

export function createSettingStore(database: StoreDatabase): SettingStore {
  const select = database.prepare<[], { name: string; value: string }>('SELECT name, value FROM setting')
  const upsert = database.prepare('INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value')
  const setAll = database.transaction((values: Readonly<Record<string, unknown>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) upsert.run(name, JSON.stringify(value))
    }
  })
  return {
    all: () => Object.fromEntries(select.all().map((row) => [row.name, JSON.parse(row.value) as unknown])),
    set: (values) => setAll(values),
  }
}
