import type { DeleteRecordsPreview, DeleteRecordsTarget } from '../../broker/contract/delete-records.ts'
import { readPartitionList } from './partition-list.ts'
import { parseMoment } from './time.ts'

/** Up to where records are deleted, as it is typed; read into what the host is asked, or into why it cannot be. */
export const deleteRecordsKinds = [
  { value: 'end', label: 'All there are', hint: 'What is written from now on stays' },
  { value: 'time', label: 'Before a time', hint: '2026-11-20 14:03, or a span back from now such as 15m, 2h, 1d' },
  { value: 'offsets', label: 'Before an offset', hint: 'Each partition has its own; one that is left empty keeps its records' },
] as const
export type DeleteRecordsKind = (typeof deleteRecordsKinds)[number]['value']

export interface DeleteRecordsForm {
  kind: DeleteRecordsKind
  partitions: string
  time: string
  /** By partition. */
  offsets: Record<number, string>
}

export interface DeleteRecordsQuestion {
  partitions: number[] | null
  target: DeleteRecordsTarget
}

export function readDeleteRecords(form: DeleteRecordsForm, nowMs: number): DeleteRecordsQuestion | { mistake: string } {
  const chosen = readPartitionList(form.partitions, null)
  if ('mistake' in chosen) return chosen
  const target = readTarget(form, chosen.partitions, nowMs)
  return 'mistake' in target ? target : { partitions: chosen.partitions, target }
}

function readTarget(
  form: DeleteRecordsForm,
  partitions: readonly number[] | null,
  nowMs: number,
): DeleteRecordsTarget | { mistake: string } {
  if (form.kind === 'end') return { to: 'end' }
  if (form.kind === 'time') {
    const timestampMs = parseMoment(form.time, nowMs)
    return timestampMs === null || timestampMs < 0
      ? { mistake: 'Give a time such as 2026-11-20 14:03, or a span back from now such as 15m.' }
      : { to: 'time', timestampMs: Math.floor(timestampMs) }
  }
  const offsets: { partition: number; beforeOffset: number }[] = []
  for (const [key, text] of Object.entries(form.offsets)) {
    const partition = Number(key)
    if (text.trim() === '' || (partitions !== null && !partitions.includes(partition))) continue
    const beforeOffset = Number(text.trim())
    if (!/^\d+$/.test(text.trim()) || !Number.isSafeInteger(beforeOffset))
      return { mistake: `The offset for partition ${partition} is not a whole number.` }
    offsets.push({ partition, beforeOffset })
  }
  return { to: 'offsets', offsets }
}

/** What is confirmed: the offsets that were shown, for partitions that lose anything. */
export function confirmedOffsets(preview: DeleteRecordsPreview): { partition: number; beforeOffset: number }[] {
  return preview.rows
    .filter(({ deletedCount }) => deletedCount > 0)
    .map(({ partition, newLogStartOffset }) => ({ partition, beforeOffset: newLogStartOffset }))
}
