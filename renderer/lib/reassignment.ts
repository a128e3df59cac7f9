import type { MovingPartition, ReassignmentRun, ReassignmentState } from '../../broker/contract/reassignments.ts'
import { formatAbout, formatBytes, formatByteRate, formatCount, formatDuration, plural } from './format.ts'
import { formatMinute } from './time.ts'
import type { Tone } from './tone.ts'

/** Partitions a table draws one by one: nobody reads more, and a page stays quick. */
export const rowsShownMax = 100

/** What a run has come to, in words and in a tone. */
export function runStatus(run: Pick<ReassignmentRun, 'status' | 'failedCount'>): { label: string; tone: Tone } {
  switch (run.status) {
    case 'starting':
      return { label: 'Starting', tone: 'busy' }
    case 'running':
      return { label: 'Moving', tone: 'busy' }
    case 'cancelling':
      return { label: 'Going back', tone: 'busy' }
    case 'finishing':
      return { label: 'Tidying up', tone: 'busy' }
    case 'done':
      return run.failedCount > 0 ? { label: 'Done in part', tone: 'warn' } : { label: 'Done', tone: 'ok' }
    case 'cancelled':
      return { label: 'Cancelled', tone: 'idle' }
    case 'failed':
      return { label: 'Failed', tone: 'bad' }
  }
}

export const isOver = ({ endedMs }: Pick<ReassignmentRun, 'endedMs'>): boolean => endedMs !== null
export const canCancel = ({ status }: Pick<ReassignmentRun, 'status'>): boolean => status === 'running'

/** From 0 to 1: by bytes where they are known, else by partitions. */
export function runShare(
  run: Pick<ReassignmentRun, 'bytesTotal' | 'bytesCopied' | 'doneCount' | 'failedCount' | 'partitionTotal' | 'status'>,
): number {
  if (run.status === 'done' && run.failedCount === 0) return 1
  const byCount = run.partitionTotal === 0 ? 1 : run.doneCount / run.partitionTotal
  if (run.bytesTotal === null || run.bytesTotal === 0) return byCount
  return Math.min(1, (run.bytesCopied ?? 0) / run.bytesTotal)
}

/** How far it is: `5 of 12 partitions`, `3.1 GiB of 8.4 GiB`, `24 MiB/s`, `about 3 min left`, `held to 50 MiB/s`. */
export function runFacts(run: ReassignmentRun, nowMs: number): string[] {
  const facts = [`${formatCount(run.doneCount)} of ${plural(run.partitionTotal, 'partition')}`]
  if (run.bytesTotal !== null && run.bytesTotal > 0) facts.push(`${formatBytes(run.bytesCopied)} of ${formatBytes(run.bytesTotal)}`)
  if (isOver(run)) {
    facts.push(`took ${formatDuration(Math.max(1_000, (run.endedMs ?? nowMs) - run.startedMs))}`)
    return facts
  }
  if (run.bytesPerSecond !== null && run.bytesPerSecond >= 1) {
    facts.push(formatByteRate(run.bytesPerSecond))
    const left = (run.bytesTotal ?? 0) - (run.bytesCopied ?? 0)
    if (run.status === 'running' && left > 0) facts.push(`about ${formatAbout((left * 1_000) / run.bytesPerSecond)} left`)
  }
  if (run.throttleBytesPerSecond !== null) facts.push(limitWords(run.throttleBytesPerSecond))
  return facts
}

/** What becomes of a run that nobody looks at; the time given matters only until it goes back or tidies up. */
export function outlook({ status, giveUpAtMs }: Pick<ReassignmentRun, 'status' | 'giveUpAtMs'>): string {
  const goesOn = 'Goes on without this page.'
  return status === 'starting' || status === 'running' ? `${goesOn} What has not arrived by ${formatMinute(giveUpAtMs)} goes back.` : goesOn
}

const STALLED_MS = 60_000

/** Says so when nothing has come for a while; `null` while all goes on. */
export function stallNotice(run: ReassignmentRun, nowMs: number): string | null {
  const silentMs = nowMs - run.progressedMs
  if (run.status !== 'running' || silentMs < STALLED_MS) return null
  return run.throttleBytesPerSecond === null
    ? `Nothing has arrived for ${formatAbout(silentMs)}. A broker that is down, or one without room on its disk, holds it up.`
    : `Nothing has arrived for ${formatAbout(silentMs)}. The limit may be below what is written: raise it.`
}

export const movingLabels: Readonly<Record<MovingPartition['state'], { label: string; tone: Tone }>> = {
  waiting: { label: 'Waiting', tone: 'idle' },
  moving: { label: 'Moving', tone: 'busy' },
  done: { label: 'Moved', tone: 'ok' },
  failed: { label: 'Not moved', tone: 'bad' },
  cancelled: { label: 'Went back', tone: 'idle' },
}

/** A partition on its way is caught up when every new replica is in sync, even before the old ones have gone. */
export function movingStatus(partition: Pick<MovingPartition, 'state' | 'adding' | 'caughtUp'>): { label: string; tone: Tone } {
  if (partition.state !== 'moving' || partition.adding.length === 0) return movingLabels[partition.state]
  return partition.caughtUp.length === partition.adding.length ? { label: 'Caught up', tone: 'busy' } : movingLabels.moving
}

export interface ReplicaMark {
  id: number
  change: 'kept' | 'added' | 'removed'
  /** First in the order wished for. */
  isPreferred: boolean
}

/** The replicas of before and after in one row: those wished for in their order, then those that go. */
export function replicaMarks(before: readonly number[], after: readonly number[]): ReplicaMark[] {
  const wished = after.map((id, at): ReplicaMark => ({ id, change: before.includes(id) ? 'kept' : 'added', isPreferred: at === 0 }))
  const leaving = before.filter((id) => !after.includes(id)).map((id): ReplicaMark => ({ id, change: 'removed', isPreferred: false }))
  return [...wished, ...leaving]
}

const changeWords = { kept: 'stays', added: 'is added', removed: 'is removed' } as const
const undoneWords = { kept: 'stays', added: 'was not added', removed: 'was not removed' } as const

/** A mark in words; `isUndone`: the change did not happen. */
export function markWords({ id, change, isPreferred }: ReplicaMark, isUndone: boolean): string {
  if (isUndone) return `Broker ${id} ${undoneWords[change]}`
  return `Broker ${id} ${changeWords[change]}${isPreferred ? ', preferred leader' : ''}`
}

/** Whether a partition's change is over without having happened. */
export const isUndone = ({ state }: Pick<MovingPartition, 'state'>): boolean => state === 'failed' || state === 'cancelled'

/** How long a run may take until what has not arrived goes back. */
export const giveUpChoices: readonly { value: number; label: string }[] = [
  { value: 3_600_000, label: '1 hour' },
  { value: 21_600_000, label: '6 hours' },
  { value: 86_400_000, label: '1 day' },
  { value: 604_800_000, label: '7 days' },
]
export const giveUpDefault = 86_400_000

const MIB = 1_048_576

/** What was typed as MiB a second, in bytes; `null` for no limit, a mistake for what is no number. */
export function readThrottle(text: string): { bytesPerSecond: number | null } | { mistake: string } {
  const trimmed = text.trim()
  if (trimmed === '') return { bytesPerSecond: null }
  const number = Number(trimmed.replace(/\s*mib(\/s)?$/i, ''))
  if (!Number.isFinite(number) || number <= 0) return { mistake: 'A number of MiB a second, as 50 or 0.5; empty for no limit.' }
  return { bytesPerSecond: Math.max(1, Math.round(number * MIB)) }
}

/** A limit as it is typed: the shortest number of MiB a second that reads as the same. */
export function throttleText(bytesPerSecond: number | null): string {
  if (bytesPerSecond === null) return ''
  const mib = bytesPerSecond / MIB
  for (let digits = 1; digits < 16; digits += 1) {
    const short = String(Number(mib.toPrecision(digits)))
    const read = readThrottle(short)
    if ('bytesPerSecond' in read && read.bytesPerSecond === bytesPerSecond) return short
  }
  return String(mib)
}

/** `held to 50 MiB/s per broker`. */
export function limitWords(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? 'as fast as it goes' : `held to ${formatByteRate(bytesPerSecond)} per broker`
}

/** Which brokers a new limit did not reach, and what to do about them; `null` when it reached all. */
export function limitMissed(brokers: readonly number[]): string | null {
  if (brokers.length === 0) return null
  return brokers.length === 1
    ? `Broker ${brokers[0]} is down and keeps the limit it had: set it again when it is back.`
    : `Brokers ${brokers.join(', ')} are down and keep the limit they had: set it again when they are back.`
}

/** How long the copying takes at a limit, when every broker that takes part copies at once. */
export function throttledFor(bytesInMax: number, bytesPerSecond: number | null): string | null {
  return bytesPerSecond === null || bytesInMax === 0 ? null : `at least ${formatAbout((bytesInMax * 1_000) / bytesPerSecond)}`
}

/** Whether a page about a topic (`null`: about the cluster) has anything to tell. */
export function hasNews(state: ReassignmentState | null, topic: string | null): boolean {
  if (state === null) return false
  if (topic === null) return state.run !== null || state.elsewhereCount > 0
  return state.partitions.length > 0 || state.run?.topic === topic
}
