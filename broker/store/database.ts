/**
 * The one database file of a profile: SQLite in WAL mode. Invariant: the only module of Weir that opens it, with all
 * migrations applied. Calls are synchronous and short; nothing here waits.
 */
import Database from 'better-sqlite3'
import { migrate } from './migrations.ts'

export type StoreDatabase = Database.Database

/** `path` may be `:memory:`. */
export function openDatabase(path: string): StoreDatabase {
  const database = new Database(path)
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('foreign_keys = ON')
    database.pragma('busy_timeout = 2000')
    migrate(database)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}
