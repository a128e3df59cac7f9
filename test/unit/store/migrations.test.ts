import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { migrate, migrations } from '../../../broker/store/migrations.ts'

function tables(database: Database.Database): string[] {
  return database
    .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
    .all()
    .map((row) => row.name)
}

describe('migrations', () => {
  test('are numbered from 1 without gaps', () => {
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, index) => index + 1))
  })

  test('1 adds connections, settings and saved filters', () => {
    const database = new Database(':memory:')
    migrate(database, 1)
    expect(tables(database)).toEqual(['connection', 'saved_filter', 'setting'])
    database.exec(`INSERT INTO connection VALUES ('a', 'A', 'remote', 'h:9092', 0, 1)`)
    expect(() => database.exec(`INSERT INTO connection VALUES ('b', 'a', 'remote', 'h:9092', 0, 1)`)).toThrow(/UNIQUE/)
  })

  test('2 adds the journal and keeps what version 1 held', () => {
    const database = new Database(':memory:')
    migrate(database, 1)
    database.exec(`INSERT INTO setting VALUES ('theme', '"dark"')`)
    migrate(database, 2)
    expect(tables(database)).toContain('journal')
    expect(database.prepare('SELECT value FROM setting').pluck().get()).toBe('"dark"')
  })

  test('3 adds history whose samples go with their series', () => {
    const database = new Database(':memory:')
    database.pragma('foreign_keys = ON')
    migrate(database, 3)
    database.exec(`INSERT INTO series VALUES (1, 'c', 'lag', 'g'); INSERT INTO sample VALUES (1, 0, 5, 7)`)
    database.exec('DELETE FROM series')
    expect(database.prepare('SELECT count(*) FROM sample').pluck().get()).toBe(0)
  })

  test('4 adds the timeline of cluster events, and keeps the journal', () => {
    const database = new Database(':memory:')
    migrate(database, 3)
    database.exec(`INSERT INTO journal (at_ms, kind, actor, action, subject, summary) VALUES (1, 'change', 'me', 'a', 's', 'x')`)
    migrate(database, 4)
    expect(tables(database)).toContain('cluster_event')
    expect(database.prepare('SELECT count(*) FROM journal').pluck().get()).toBe(1)
  })

  test('a database of a newer Weir is refused with both versions', () => {
    const database = new Database(':memory:')
    database.pragma('user_version = 99')
    expect(() => migrate(database)).toThrow(/version 99; this Weir knows versions up to 4/)
  })

  test('applying all twice changes nothing', () => {
    const database = new Database(':memory:')
    migrate(database)
    migrate(database)
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length)
  })
})
