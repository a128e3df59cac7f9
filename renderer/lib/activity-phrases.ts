import type { ActivityAction, ActivityRow, TimelineRow } from '../../broker/contract/activity.ts'
import type { ClusterEvent, ClusterEventKind, TimelineLane } from '../../broker/contract/timeline.ts'
import { formatCount } from './format.ts'
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
  'reassignment.limit': 'i-lucide-gauge',
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

/** A row of the time axis: what it is called, its mark, what it tells. */
export const lanePhrases: Readonly<Record<TimelineLane, { label: string; icon: string; hint: string; one: string; many: string }>> = {
  quorum: {
    label: 'Quorum',
    icon: 'i-lucide-crown',
    hint: 'Elections of the controllers, a lost quorum and its return',
    one: 'event of the quorum',
    many: 'events of the quorum',
  },
  broker: {
    label: 'Brokers',
    icon: 'i-lucide-server',
    hint: 'Brokers registered, fenced and unfenced',
    one: 'event of a broker',
    many: 'events of brokers',
  },
  partition: {
    label: 'Offline',
    icon: 'i-lucide-octagon-x',
    hint: 'Partitions that lost their last leader, and got one again',
    one: 'offline or online again',
    many: 'offline or online again',
  },
  leader: {
    label: 'Leaders',
    icon: 'i-lucide-star',
    hint: "Elections of partitions' leaders",
    one: 'change of leaders',
    many: 'changes of leaders',
  },
  isr: {
    label: 'In-sync sets',
    icon: 'i-lucide-layers',
    hint: 'Replicas that fell out of sync, and caught up',
    one: 'change of in-sync sets',
    many: 'changes of in-sync sets',
  },
  event: {
    label: 'Processes',
    icon: 'i-lucide-activity',
    hint: 'Processes and connections that came and went',
    one: 'event of a process or connection',
    many: 'events of processes and connections',
  },
  change: { label: 'Changes', icon: 'i-lucide-pencil', hint: 'What somebody did', one: 'change', many: 'changes' },
}

export const eventPhrases: Readonly<Record<ClusterEventKind, { label: string; icon: string; tone: Tone }>> = {
  'leader-changed': { label: 'Leader changed', icon: 'i-lucide-star', tone: 'idle' },
  'partition-offline': { label: 'Offline', icon: 'i-lucide-octagon-x', tone: 'bad' },
  'partition-online': { label: 'Online again', icon: 'i-lucide-circle-check', tone: 'ok' },
  'isr-shrunk': { label: 'Out of sync', icon: 'i-lucide-copy-minus', tone: 'warn' },
  'isr-expanded': { label: 'In sync again', icon: 'i-lucide-copy-plus', tone: 'ok' },
  'broker-registered': { label: 'Broker registered', icon: 'i-lucide-server', tone: 'ok' },
  'broker-fenced': { label: 'Broker fenced', icon: 'i-lucide-server-off', tone: 'bad' },
  'broker-unfenced': { label: 'Broker unfenced', icon: 'i-lucide-server', tone: 'ok' },
  'controller-elected': { label: 'Controller elected', icon: 'i-lucide-crown', tone: 'idle' },
  'quorum-lost': { label: 'Quorum lost', icon: 'i-lucide-crown', tone: 'bad' },
  'quorum-returned': { label: 'Quorum back', icon: 'i-lucide-crown', tone: 'ok' },
}

/** An unclean election may have lost records: amber, whatever kind of line it is. */
export function eventTone({ kind, cause }: Pick<ClusterEvent, 'kind' | 'cause'>): Tone {
  return cause === 'unclean' ? 'warn' : eventPhrases[kind].tone
}

export function rowTone(row: TimelineRow): Tone {
  return row.source === 'journal' ? activityTone(row) : eventTone(row)
}

export function rowIcon(row: TimelineRow): string {
  return row.source === 'journal' ? activityIcons[row.action] : eventPhrases[row.kind].icon
}

/** Where a line leads: the topic, group or broker it speaks of. */
export interface RowLink {
  text: string
  /** After the link, not part of it: how many more. */
  rest: string
  to: { name: string; params: Record<string, string>; query?: Record<string, string> } | null
}

export function rowLink(row: TimelineRow): RowLink {
  return row.source === 'cluster' ? eventLink(row) : journalLink(row)
}

function eventLink({ clusterId, topics, topicCount, partition, brokerIds, kind }: ClusterEvent): RowLink {
  const params = { cluster: clusterId }
  const [topic] = topics
  if (topic !== undefined) {
    const query = partition === null ? {} : { query: { partition: String(partition) } }
    return {
      text: partition === null ? topic : `${topic}-${partition}`,
      rest: topicCount > 1 ? `+${formatCount(topicCount - 1)}` : '',
      to: { name: 'topic-partitions', params: { ...params, topic }, ...query },
    }
  }
  const [broker] = brokerIds
  const isQuorum = kind === 'controller-elected' || kind === 'quorum-lost' || kind === 'quorum-returned'
  if (isQuorum || broker === undefined) {
    return { text: broker === undefined ? 'quorum' : `controller ${broker}`, rest: '', to: { name: 'brokers', params } }
  }
  return { text: `broker ${broker}`, rest: '', to: { name: 'brokers', params, query: { broker: String(broker) } } }
}

function journalLink({ clusterId, action, subject }: ActivityRow): RowLink {
  const plain = { text: subject, rest: '', to: null }
  if (clusterId === null) return plain
  const params = { cluster: clusterId }
  const node = /^(broker|controller) (\d+)$/.exec(subject)
  if (node !== null) {
    const query = node[1] === 'broker' ? { query: { broker: node[2] as string } } : {}
    return { ...plain, to: { name: 'brokers', params, ...query } }
  }
  const isTopic = /^[A-Za-z0-9._-]{1,249}$/.test(subject)
  if (isTopic && (action === 'record.send' || (action.startsWith('topic.') && action !== 'topic.delete'))) {
    return { ...plain, to: { name: 'topic-messages', params: { ...params, topic: subject } } }
  }
  if (action === 'group.reset' && subject !== '') return { ...plain, to: { name: 'group', params: { ...params, group: subject } } }
  return plain
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
