import type { Database } from 'better-sqlite3'

/**
 * The schema's history. A migration, once released, is never edited: a change is a new one at the end. `PRAGMA
 * user_version` holds the number of the last one applied.
 */
export interface Migration {
  readonly version: number
  readonly what: string
  readonly sql: string
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    what: 'connections, settings and saved filters',
    sql: `
      CREATE TABLE connection (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        kind TEXT NOT NULL CHECK (kind IN ('embedded', 'remote')),
        bootstrap_servers TEXT NOT NULL,
        read_only INTEGER NOT NULL,
        created_ms INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE saved_filter (
        id INTEGER PRIMARY KEY,
        scope TEXT NOT NULL,
        name TEXT NOT NULL,
        content TEXT NOT NULL,
        saved_ms INTEGER NOT NULL,
        UNIQUE (scope, name)
      ) STRICT;`,
  },
  {
    version: 2,
    what: 'the journal of changes and events',
    sql: `
      CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_ms INTEGER NOT NULL,
        cluster_id TEXT,
        kind TEXT NOT NULL CHECK (kind IN ('change', 'event')),
        actor TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        summary TEXT NOT NULL,
        before TEXT,
        after TEXT,
        inverse TEXT,
        failure TEXT,
        undone_by INTEGER REFERENCES journal (id)
      ) STRICT;
      CREATE INDEX journal_by_cluster ON journal (cluster_id, id);`,
  },
  {
    version: 3,
    what: 'sampled history with down-sampled levels',
    sql: `
      CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        cluster_id TEXT NOT NULL,
        metric TEXT NOT NULL,
        subject TEXT NOT NULL,
        UNIQUE (cluster_id, metric, subject)
      ) STRICT;
      CREATE TABLE sample (
        series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
        level INTEGER NOT NULL,
        at_ms INTEGER NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (series_id, level, at_ms)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX sample_by_age ON sample (level, at_ms);`,
  },
  {
    version: 4,
    what: "the timeline of the clusters' own events",
    sql: `
      CREATE TABLE cluster_event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        cause TEXT,
        summary TEXT NOT NULL,
        brokers TEXT NOT NULL,
        topics TEXT NOT NULL,
        topic_count INTEGER NOT NULL,
        partition_count INTEGER NOT NULL,
        partition INTEGER,
        partitions TEXT
      ) STRICT;
      CREATE INDEX cluster_event_by_time ON cluster_event (at_ms);
      CREATE INDEX journal_by_time ON journal (at_ms);`,
  },
]

/**
 * Brings the database up to the newest version, or up to `target` (tests), each migration in a transaction of its own.
 * Throws when the file was written by a newer Weir.
 */
export function migrate(database: Database, target: number = migrations.length): void {
  const current = database.pragma('user_version', { simple: true }) as number
  if (current > migrations.length) {
    throw new Error(
      `The database has version ${current}; this Weir knows versions up to ${migrations.length}. Update Weir, or use another profile folder.`,
    )
  }
  for (const migration of migrations) {
    if (migration.version <= current || migration.version > target) continue
    database.transaction(() => {
      database.exec(migration.sql)
      database.pragma(`user_version = ${migration.version}`)
    })()
  }
}
