import type { ActivityAction, ActivityRow } from '../../contract/activity.ts'
import type { JournalEntry } from '../../store/journal.ts'

/** An entry of the journal as a screen gets it. */
export function activityRow(entry: JournalEntry): ActivityRow {
  return {
    id: entry.id,
    atMs: entry.atMs,
    clusterId: entry.clusterId,
    kind: entry.kind,
    actor: entry.actor,
    action: entry.action as ActivityAction,
    subject: entry.subject,
    summary: entry.summary,
    before: entry.before,
    after: entry.after,
    failure: entry.failure,
    undo: entry.undoneBy !== null ? 'undone' : entry.inverse === null ? 'none' : 'available',
  }
}
