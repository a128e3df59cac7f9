import type { StoreDatabase } from './database.ts'

/** A cluster the console knows. Plaintext: there is no secret in it. */
export interface StoredConnection {
  readonly id: string
  readonly name: string
  readonly kind: 'embedded' | 'remote'
  readonly bootstrapServers: readonly string[]
  readonly readOnly: boolean
  readonly createdMs: number
}

interface Row {
  id: string
  name: string
  kind: 'embedded' | 'remote'
  bootstrap_servers: string
  read_only: number
  created_ms: number
}

export interface ConnectionStore {
  list(): readonly StoredConnection[]
  /** Adds, or replaces the one with this id. Throws when another one has the name (compared without case). */
  save(connection: StoredConnection): void
  remove(id: string): void
}

export function createConnectionStore(database: StoreDatabase): ConnectionStore {
  const select = database.prepare<[], Row>('SELECT * FROM connection ORDER BY kind, name')
  const upsert = database.prepare(`
    INSERT INTO connection (id, name, kind, bootstrap_servers, read_only, created_ms) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
      bootstrap_servers = excluded.bootstrap_servers, read_only = excluded.read_only`)
  const remove = database.prepare('DELETE FROM connection WHERE id = ?')
  return {
    list: () =>
      select.all().map((row) => ({
        id: row.id,
        name: row.name,
        kind: row.kind,
        bootstrapServers: row.bootstrap_servers.split(','),
        readOnly: row.read_only === 1,
        createdMs: row.created_ms,
      })),
    save(connection) {
      const servers = connection.bootstrapServers.join(',')
      upsert.run(connection.id, connection.name, connection.kind, servers, connection.readOnly ? 1 : 0, connection.createdMs)
    },
    remove: (id) => void remove.run(id),
  }
}
