import type { SearchHit } from '../../contract/search.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { plural } from '../plural.ts'
import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'
import { filterParts, matchesFilter } from './paging.ts'

export function searchRouter({ clusters }: HostServices) {
  return {
    find: implementer.search.find.handler(({ input }) => find(clusters.all(), input.text, input.count)),
  }
}

interface Ranked {
  readonly hit: SearchHit
  readonly rank: number
}

/** Best first: equal, then beginning with, then a word beginning with, then anywhere; shorter names before longer ones. */
export function find(sessions: readonly ClusterSession[], text: string, count: number): readonly SearchHit[] {
  const parts = filterParts(text)
  const whole = text.trim().toLowerCase()
  const ranked: Ranked[] = []
  for (const session of sessions) {
    for (const hit of candidates(session, parts)) ranked.push({ hit, rank: rankOf(hit, whole) })
  }
  ranked.sort((a, b) => a.rank - b.rank || a.hit.name.length - b.hit.name.length || a.hit.name.localeCompare(b.hit.name))
  return ranked.slice(0, count).map(({ hit }) => hit)
}

function* candidates(session: ClusterSession, parts: readonly string[]): Generator<SearchHit, void, void> {
  const { knowledge } = session
  const base = { clusterId: session.id, clusterName: session.name }
  if (matchesFilter(session.name, parts)) yield { ...base, kind: 'cluster', name: session.name, hint: session.state.status }
  for (const broker of knowledge.brokers) {
    const name = String(broker.nodeId)
    if (matchesFilter(`broker ${name} ${broker.host}`, parts))
      yield { ...base, kind: 'broker', name, hint: `${broker.host}:${broker.port}` }
  }
  for (const name of knowledge.topicNames) {
    if (!matchesFilter(name, parts)) continue
    const count = knowledge.topics.get(name)?.partitions.length ?? 0
    yield { ...base, kind: 'topic', name, hint: `${plural(count, 'partition')}` }
  }
  for (const name of knowledge.groupIds) {
    if (!matchesFilter(name, parts)) continue
    const group = knowledge.groups.get(name)
    const members = group?.memberCount ?? 0
    yield { ...base, kind: 'group', name, hint: `${group?.state ?? 'Unknown'}, ${plural(members, 'member')}` }
  }
}

function rankOf(hit: SearchHit, whole: string): number {
  const name = hit.name.toLowerCase()
  const isInternal = name.startsWith('__') ? 4 : 0
  if (name === whole) return isInternal
  if (name.startsWith(whole)) return 1 + isInternal
  return (name.split(/[^a-z0-9]+/).some((word) => word.startsWith(whole)) ? 2 : 3) + isInternal
}
