/** Which partitions are led by another than their preferred replica, and which of them can be given back. Pure. */
import type { BlockedElection, BrokerLeads, LeaderChange } from '../../contract/elections.ts'
import { Tally } from './load.ts'
import type { PlanPartition } from './plan-types.ts'

export interface ElectionPlan {
  readonly changes: readonly LeaderChange[]
  readonly blocked: readonly BlockedElection[]
  readonly brokers: readonly BrokerLeads[]
}

export function planElection(partitions: readonly PlanPartition[], alive: readonly number[]): ElectionPlan {
  const changes: LeaderChange[] = []
  const blocked: BlockedElection[] = []
  const [now, then] = [new Tally(), new Tally()]
  for (const { topic, partition, replicas, isr, leader } of partitions) {
    const preferred = replicas[0]
    if (leader !== null) now.add(leader)
    if (preferred === undefined || leader === preferred) {
      if (leader !== null) then.add(leader)
      continue
    }
    const change = { topic, partition, from: leader, to: preferred }
    const reason = blockerOf(preferred, isr, alive)
    if (reason === null) changes.push(change)
    else blocked.push({ ...change, reason })
    const leads = reason === null ? preferred : leader
    if (leads !== null) then.add(leads)
  }
  const ids = [...new Set([...alive, ...partitions.flatMap(({ replicas }) => replicas)])].sort((a, b) => a - b)
  const brokers = ids.map((brokerId) => ({ brokerId, isAlive: alive.includes(brokerId), now: now.of(brokerId), then: then.of(brokerId) }))
  return { changes, blocked, brokers }
}

function blockerOf(preferred: number, isr: readonly number[], alive: readonly number[]): string | null {
  if (!alive.includes(preferred)) return `Broker ${preferred} is down.`
  if (!isr.includes(preferred)) return `Broker ${preferred} is not in sync yet.`
  return null
}
