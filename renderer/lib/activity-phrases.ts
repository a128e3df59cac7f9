import type { ActivityAction, ActivityRow } from '../../broker/contract/activity.ts'
import type { Tone } from './tone.ts'

/** An icon for each thing that can happen, and whether it was a loss. */
export const activityIcons: Readonly<Record<ActivityAction, string>> = {
  'topic.create': 'i-lucide-plus',
  'topic.delete': 'i-lucide-trash-2',
  'topic.settings': 'i-lucide-settings-2',
  'topic.add-partitions': 'i-lucide-rows-3',
  'topic.delete-records': 'i-lucide-eraser',
  'leader.elect': 'i-lucide-crown',
  'reassignment.start': 'i-lucide-arrow-right-left',
  'reassignment.cancel': 'i-lucide-undo-2',
  'reassignment.end': 'i-lucide-arrow-right-left',
  'record.send': 'i-lucide-send-horizontal',
  'group.reset': 'i-lucide-rewind',
  'group.delete': 'i-lucide-trash-2',
  'node.start': 'i-lucide-play',
  'node.stop': 'i-lucide-square',
  'node.kill': 'i-lucide-skull',
  'node.restart': 'i-lucide-rotate-cw',
  'node.pause': 'i-lucide-pause',
  'node.resume': 'i-lucide-play',
  'node.state': 'i-lucide-activity',
  'cluster.add': 'i-lucide-plug',
  'cluster.update': 'i-lucide-plug',
  'cluster.remove': 'i-lucide-unplug',
  'cluster.connected': 'i-lucide-plug-zap',
  'cluster.unreachable': 'i-lucide-cloud-off',
  'sample.start': 'i-lucide-truck',
  'sample.stop': 'i-lucide-truck',
  'settings.change': 'i-lucide-settings-2',
}

const losses: ReadonlySet<ActivityAction> = new Set(['node.kill', 'cluster.unreachable'])

export function activityTone(row: Pick<ActivityRow, 'action' | 'failure'>): Tone {
  if (row.failure !== null) return 'bad'
  return losses.has(row.action) ? 'warn' : 'idle'
}

export interface ChangedField {
  name: string
  before: string | null
  after: string | null
}

/** What differs between two states given as JSON text; whole texts when they are not objects. */
export function changedFields(before: string | null, after: string | null): ChangedField[] {
  const left = asObject(before)
  const right = asObject(after)
  if (left === null && right === null) return before === after ? [] : [{ name: '', before, after }]
  const names = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])]
  return names.flatMap((name) => {
    const [was, is] = [textOf(left?.[name]), textOf(right?.[name])]
    return was === is ? [] : [{ name, before: was, after: is }]
  })
}

function asObject(text: string | null): Record<string, unknown> | null {
  if (text === null) return null
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}
