/**
 * Puts replicas in an order that makes every broker the preferred leader of as many partitions as the others, as far as the replicas
 * allow: leadership is handed on along paths of partitions from a broker that leads too many to one that leads too few, until no such
 * path is left (the optimum of a semi-matching: Harvey et al., 2006).
 */
import { Tally } from './load.ts'

export interface Ordered {
  /** Reordered in place; the first is the preferred leader. */
  readonly replicas: number[]
}

/** Moves leadership as little as that takes; `brokers` are those the replicas are on. */
export function balanceLeaders(drafts: readonly Ordered[], brokers: readonly number[]): void {
  const leads = new Tally()
  for (const { replicas } of drafts) if (replicas[0] !== undefined) leads.add(replicas[0])
  handOnDirectly(drafts, leads)
  for (;;) {
    const from = brokers.toSorted((a, b) => leads.of(b) - leads.of(a))
    const step = firstPath(drafts, from, leads)
    if (step === null) return
    for (const { draft, to } of step) lead(draft, to, leads)
  }
}

/** One step paths, which are nearly all there are. */
function handOnDirectly(drafts: readonly Ordered[], leads: Tally): void {
  for (let isChanged = true; isChanged;) {
    isChanged = false
    for (const draft of drafts) {
      const leader = draft.replicas[0]
      if (leader === undefined) continue
      const other = draft.replicas.reduce((best, id) => (leads.of(id) < leads.of(best) ? id : best))
      if (leads.of(leader) - leads.of(other) < 2) continue
      lead(draft, other, leads)
      isChanged = true
    }
  }
}

interface Step {
  readonly draft: Ordered
  readonly to: number
}

/** A path from the fullest broker that has one to a broker with at least two fewer; `null` when there is none. */
function firstPath(drafts: readonly Ordered[], fullestFirst: readonly number[], leads: Tally): readonly Step[] | null {
  const led = new Map<number, Ordered[]>()
  for (const draft of drafts) {
    const leader = draft.replicas[0]
    if (leader === undefined) continue
    const own = led.get(leader)
    if (own === undefined) led.set(leader, [draft])
    else own.push(draft)
  }
  for (const start of fullestFirst) {
    const cameBy = new Map<number, Step & { readonly from: number }>()
    const reached = [start]
    for (const from of reached) {
      if (leads.of(start) - leads.of(from) >= 2) return pathTo(from, start, cameBy)
      for (const draft of led.get(from) ?? []) {
        for (const to of draft.replicas) {
          if (to === start || cameBy.has(to)) continue
          cameBy.set(to, { draft, to, from })
          reached.push(to)
        }
      }
    }
  }
  return null
}

function pathTo(end: number, start: number, cameBy: ReadonlyMap<number, Step & { readonly from: number }>): readonly Step[] {
  const steps: Step[] = []
  for (let at = end; at !== start;) {
    const step = cameBy.get(at)
    if (step === undefined) throw new Error('a path of leaders has a gap')
    steps.push(step)
    at = step.from
  }
  return steps
}

function lead({ replicas }: Ordered, id: number, leads: Tally): void {
  const leader = replicas[0]
  if (leader === undefined || leader === id) return
  leads.add(leader, -1)
  leads.add(id)
  replicas[replicas.indexOf(id)] = leader
  replicas[0] = id
}
