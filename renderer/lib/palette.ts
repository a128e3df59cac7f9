import { fuzzyRank, fuzzyScore } from './fuzzy.ts'
import { replicaEntries, type ReplicaIntent } from './palette-replicas.ts'

/** What the palette offers for what was typed: pure, so that what Enter does can be tested. An entry's `run` names an intent; the palette carries it out. */
export type Intent =
  | { kind: 'go'; place: 'overview' | 'topics' | 'groups' | 'brokers' | 'activity' | 'settings' }
  | { kind: 'topic'; clusterId: string; topic: string }
  | { kind: 'group'; clusterId: string; groupId: string }
  | { kind: 'broker'; clusterId: string }
  | { kind: 'cluster'; clusterId: string }
  | { kind: 'find-key'; topic: string; key: string }
  | { kind: 'produce'; topic: string; tombstone: boolean; key: string }
  | { kind: 'delete-records'; topic: string }
  | ReplicaIntent
  | { kind: 'lagging-partition' }
  | { kind: 'node'; action: 'start' | 'stop' | 'kill' | 'restart'; nodeId: number }
  | { kind: 'copy-address' | 'create-topic' | 'toggle-theme' | 'help' | 'add-connection' | 'sample-start' | 'sample-stop' }

export interface PaletteEntry {
  id: string
  label: string
  /** How the label ends, where that must be read: the rest is cut short before it. */
  labelEnd?: string
  hint: string
  icon: string
  intent: Intent
  /** Words that find it beside its label. */
  also?: string
}

export interface PaletteHit {
  kind: 'cluster' | 'topic' | 'group' | 'broker'
  clusterId: string
  clusterName: string
  name: string
  hint: string
}

export interface PaletteContext {
  clusterId: string | null
  isReadOnly: boolean
  isEmbedded: boolean
  /** Topics by how likely they are meant: the one in view first, then the busiest. */
  topics: readonly string[]
  brokers: readonly { id: number; running: boolean }[]
  /** As the cluster lists them, remote ones too. */
  brokerIds: readonly number[]
  worstLag: { groupId: string; topic: string; partition: number; lag: number; leader: number | null } | null
  sampleRunning: boolean
  bootstrap: string
  hits: readonly PaletteHit[]
}

export interface PaletteGroup {
  id: string
  label: string
  entries: PaletteEntry[]
}

const ENTRIES_MAX = 12
const KEY_TOPICS_MAX = 3
const PLACE_SCORE_MIN = 60

export function paletteGroups(text: string, context: PaletteContext): PaletteGroup[] {
  const query = text.trim()
  const actions = fuzzyRank(
    query,
    [
      ...urgentActions(context),
      ...actionsOf(context),
      ...nodeActionsOf(context),
      ...replicaEntries({ ...context, topics: namedFirst(query, context.topics) }),
    ],
    searchText,
    query === '' ? 8 : ENTRIES_MAX,
  )
  const typed = typedEntries(query, context)
  const places = fuzzyRank(query, placesOf(context), searchText, ENTRIES_MAX)
  const objects = fuzzyRank(query, context.hits.map(hitEntry), (entry) => entry.label, query === '' ? 8 : 24)
  const groups: PaletteGroup[] = [
    { id: 'typed', label: 'As typed', entries: typed },
    { id: 'objects', label: 'Topics, groups and brokers', entries: objects },
    { id: 'actions', label: 'Actions', entries: actions },
    { id: 'places', label: 'Go to', entries: places },
  ]
  return groups.filter((group) => group.entries.length > 0).sort((a, b) => groupScore(query, b) - groupScore(query, a))
}

/** Groups come in the order of their best entry; with nothing typed, actions first. */
function groupScore(query: string, group: PaletteGroup): number {
  if (query === '') return { actions: 3, places: 2, objects: 1 }[group.id] ?? 0
  const first = group.entries[0] as PaletteEntry
  if (group.id === 'typed') return first.intent.kind !== 'find-key' ? 1000 : PLACE_SCORE_MIN - 1
  return fuzzyScore(query, group.id === 'objects' ? first.label : searchText(first)) ?? 0
}

const searchText = (entry: PaletteEntry): string => `${entry.label} ${entry.also ?? ''}`

/** Sentences: `tombstone truck_42 in trucks_gps`, `send hello to orders`, `delete records of orders`, or a bare key to look for. */
function typedEntries(query: string, context: PaletteContext): PaletteEntry[] {
  if (query === '' || context.clusterId === null) return []
  const send = /^(?:send\s+|produce\s+)?(a\s+)?(tombstone|record)\b\s*(?:for\s+)?(.*)$/i.exec(query)
  if (send && !context.isReadOnly) {
    const { subject, topic } = splitTopic(send[3] ?? '', context.topics)
    const tombstone = send[2]?.toLowerCase() === 'tombstone'
    return topicsFor(topic, context).map((name) => produceEntry(name, tombstone, subject))
  }
  const purge = /^(?:delete|purge)\s+records?\b(?:\s+(?:of|in|from|on))?\s*(\S*)$/i.exec(query)
  if (purge && !context.isReadOnly) {
    const named = purge[1] ?? ''
    const topics = named === '' ? context.topics : fuzzyRank(named, context.topics, (name) => name, KEY_TOPICS_MAX)
    return topics.slice(0, KEY_TOPICS_MAX).map(deleteRecordsEntry)
  }
  const { subject, topic } = splitTopic(query.replace(/^(find|latest|key)\s+/i, '').replace(/[:,]?\s+latest$/i, ''), context.topics)
  if (subject === '' || subject.length < 2) return []
  return topicsFor(topic, context).map((name) => ({
    id: `find:${name}:${subject}`,
    label: `Find key ${subject} in ${name}`,
    hint: 'newest first',
    icon: 'i-lucide-scan-search',
    intent: { kind: 'find-key' as const, topic: name, key: subject },
  }))
}

/** A topic whose name is among the words typed is the one that is meant. */
function namedFirst(query: string, topics: readonly string[]): readonly string[] {
  const words = new Set(query.split(/\s+/))
  return [...topics.filter((name) => words.has(name)), ...topics.filter((name) => !words.has(name))]
}

function topicsFor(topic: string | null, context: PaletteContext): string[] {
  return topic === null ? context.topics.slice(0, KEY_TOPICS_MAX) : [topic]
}

/** `truck_42 in trucks_gps` names both; `tombstone trucks_gps` names the topic alone. */
export function splitTopic(text: string, topics: readonly string[]): { subject: string; topic: string | null } {
  const trimmed = text.trim()
  const named = /^(.*?)\s*\b(?:in|to|from|on)\s+(\S+)$/i.exec(trimmed)
  const wanted = named?.[2] ?? ''
  const topic = topics.find((name) => name === wanted) ?? fuzzyRank(wanted, wanted === '' ? [] : topics, (name) => name, 1)[0]
  if (named && topic !== undefined) return { subject: (named[1] ?? '').trim(), topic }
  if (topics.includes(trimmed)) return { subject: '', topic: trimmed }
  return { subject: trimmed, topic: null }
}

function produceEntry(topic: string, tombstone: boolean, key: string): PaletteEntry {
  const of = key === '' ? '' : ` for key ${key}`
  return {
    id: `produce:${tombstone}:${topic}:${key}`,
    label: tombstone ? `Send a tombstone${of} to ${topic}` : `Produce a record${of} to ${topic}`,
    hint: tombstone ? 'a record without a value' : '',
    icon: tombstone ? 'i-lucide-eraser' : 'i-lucide-send-horizontal',
    intent: { kind: 'produce', topic, tombstone, key },
  }
}

function deleteRecordsEntry(topic: string): PaletteEntry {
  return {
    id: `delete-records:${topic}`,
    label: `Delete records of ${topic}`,
    hint: 'before an offset or a time',
    icon: 'i-lucide-eraser',
    intent: { kind: 'delete-records', topic },
    also: 'purge empty truncate',
  }
}

function urgentActions({ worstLag, isEmbedded, isReadOnly, clusterId, brokers }: PaletteContext): PaletteEntry[] {
  if (worstLag === null || clusterId === null) return []
  const partition = `${worstLag.topic}-${worstLag.partition}`
  const show: PaletteEntry = {
    id: 'lagging',
    label: `Most lagging partition: ${partition}`,
    labelEnd: `-${worstLag.partition}`,
    hint: `${worstLag.lag.toLocaleString('en-US')} behind, ${worstLag.groupId}`,
    icon: 'i-lucide-trending-down',
    intent: { kind: 'lagging-partition' },
    also: 'worst lag slow consumer',
  }
  const leads = brokers.find(({ id }) => id === worstLag.leader)
  if (!isEmbedded || isReadOnly || leads?.running !== true) return [show]
  const kill: PaletteEntry = {
    id: 'kill-leader',
    label: `Kill leader of the most lagging partition: broker ${leads.id}`,
    hint: `${partition}, SIGKILL`,
    icon: 'i-lucide-skull',
    intent: { kind: 'node', action: 'kill', nodeId: leads.id },
    also: 'its leader',
  }
  return [show, kill]
}

function actionsOf(context: PaletteContext): PaletteEntry[] {
  const entries: PaletteEntry[] = []
  if (context.bootstrap !== '') {
    entries.push({
      id: 'copy-address',
      label: 'Copy the bootstrap address',
      hint: context.bootstrap,
      icon: 'i-lucide-copy',
      intent: { kind: 'copy-address' },
      also: 'servers localhost connect',
    })
  }
  if (context.clusterId !== null && !context.isReadOnly) {
    entries.push({
      id: 'create-topic',
      label: 'Create a topic',
      hint: '',
      icon: 'i-lucide-plus',
      intent: { kind: 'create-topic' },
      also: 'new add',
    })
    const topic = context.topics[0]
    if (topic !== undefined) entries.push(produceEntry(topic, false, ''), produceEntry(topic, true, ''), deleteRecordsEntry(topic))
    entries.push(
      context.sampleRunning
        ? {
            id: 'sample-stop',
            label: 'Stop the sample workload',
            hint: '',
            icon: 'i-lucide-truck',
            intent: { kind: 'sample-stop' },
            also: 'demo trucks',
          }
        : {
            id: 'sample-start',
            label: 'Start the sample workload',
            hint: '200 trucks',
            icon: 'i-lucide-truck',
            intent: { kind: 'sample-start' },
            also: 'demo trucks',
          },
    )
  }
  entries.push(
    {
      id: 'theme',
      label: 'Switch between dark and light',
      hint: '',
      icon: 'i-lucide-sun-moon',
      intent: { kind: 'toggle-theme' },
      also: 'theme colour',
    },
    {
      id: 'add-connection',
      label: 'Add a connection to a cluster',
      hint: '',
      icon: 'i-lucide-plug',
      intent: { kind: 'add-connection' },
      also: 'remote kafka',
    },
    { id: 'help', label: 'Keyboard shortcuts', hint: '', icon: 'i-lucide-keyboard', intent: { kind: 'help' }, also: 'help' },
  )
  return entries
}

function nodeActionsOf(context: PaletteContext): PaletteEntry[] {
  if (!context.isEmbedded || context.isReadOnly) return []
  const icons = { start: 'i-lucide-play', stop: 'i-lucide-square', kill: 'i-lucide-skull', restart: 'i-lucide-rotate-cw' } as const
  const labels = { start: 'Start', stop: 'Stop', kill: 'Kill', restart: 'Restart' } as const
  return context.brokers.flatMap((broker) => {
    const possible = broker.running ? (['stop', 'kill', 'restart'] as const) : (['start'] as const)
    return possible.map((action) => ({
      id: `node:${action}:${broker.id}`,
      label: `${labels[action]} broker ${broker.id}`,
      hint: '',
      icon: icons[action],
      intent: { kind: 'node' as const, action, nodeId: broker.id },
    }))
  })
}

function placesOf({ clusterId }: PaletteContext): PaletteEntry[] {
  const all: [PaletteEntry['label'], Extract<Intent, { kind: 'go' }>['place'], string][] = [
    ['Overview', 'overview', 'i-lucide-gauge'],
    ['Topics', 'topics', 'i-lucide-rows-3'],
    ['Groups', 'groups', 'i-lucide-users'],
    ['Brokers', 'brokers', 'i-lucide-server'],
    ['Activity', 'activity', 'i-lucide-history'],
    ['Settings', 'settings', 'i-lucide-settings-2'],
  ]
  return all
    .filter(([, place]) => clusterId !== null || place === 'activity' || place === 'settings')
    .map(([label, place, icon]) => ({ id: `go:${place}`, label, hint: '', icon, intent: { kind: 'go', place } }))
}

const hitIcons = { cluster: 'i-lucide-boxes', topic: 'i-lucide-rows-3', group: 'i-lucide-users', broker: 'i-lucide-server' } as const

function hitEntry(hit: PaletteHit): PaletteEntry {
  const intents: Record<PaletteHit['kind'], Intent> = {
    cluster: { kind: 'cluster', clusterId: hit.clusterId },
    topic: { kind: 'topic', clusterId: hit.clusterId, topic: hit.name },
    group: { kind: 'group', clusterId: hit.clusterId, groupId: hit.name },
    broker: { kind: 'broker', clusterId: hit.clusterId },
  }
  return {
    id: `${hit.kind}:${hit.clusterId}:${hit.name}`,
    label: hit.kind === 'broker' ? `Broker ${hit.name}` : hit.name,
    hint: [hit.hint, hit.clusterName].filter((part) => part !== '').join(' · '),
    icon: hitIcons[hit.kind],
    intent: intents[hit.kind],
  }
}
