/** What Weir keeps of its own, by domain. Owned by the host; closed with it. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { createClusterEventStore, type ClusterEventStore } from './cluster-events.ts'
import { createConnectionStore, type ConnectionStore } from './connections.ts'
import { openDatabase } from './database.ts'
import { createFilterStore, type FilterStore } from './filters.ts'
import { createHistoryStore, type HistoryStore } from './history.ts'
import { createJournalStore, type JournalStore } from './journal.ts'
import { createSettingStore, type SettingStore } from './settings.ts'
import { createTimelineStore, type TimelineStore } from './timeline.ts'

export interface Store {
  readonly connections: ConnectionStore
  readonly settings: SettingStore
  readonly journal: JournalStore
  readonly history: HistoryStore
  readonly clusterEvents: ClusterEventStore
  readonly timeline: TimelineStore
  readonly filters: FilterStore
  close(): void
}

/** `path`: the database file, created when absent; `:memory:` for one that leaves no trace. */
export function openStore(path: string): Store {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const database = openDatabase(path)
  return {
    connections: createConnectionStore(database),
    settings: createSettingStore(database),
    journal: createJournalStore(database),
    history: createHistoryStore(database),
    clusterEvents: createClusterEventStore(database),
    timeline: createTimelineStore(database),
    filters: createFilterStore(database),
    close: () => database.close(),
  }
}
