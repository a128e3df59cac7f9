/**
 * Ends, stops and starts nodes in rotation, one at a time: the next only when the one before is back and in sync, so that
 * what is acknowledged is always on two live brokers.
 */
import type { KafkaClient } from '../../../broker/client/types.ts'
import type { EmbeddedCluster } from '../../../broker/runtime/types.ts'
import { until } from '../../support/until.ts'

export const actions = ['kill', 'pause', 'restart', 'long pause'] as const
export type Action = (typeof actions)[number]

export interface ChaosOptions {
  readonly cluster: EmbeddedCluster
  readonly client: KafkaClient
  readonly topics: readonly string[]
  readonly untilMs: number
  readonly onAction: (action: Action, nodeId: number, role: 'broker' | 'controller') => void
}

const DEAD_FOR_MS = 700
/** How long each pause takes; the long one is beyond a broker's session of 9 s. */
export const ACTION_MS = { pause: 1_500, 'long pause': 11_000 } as const
const CALM_MS = 800
const HEALED_WITHIN_MS = 60_000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export async function chaos({ cluster, client, topics, untilMs, onAction }: ChaosOptions): Promise<void> {
  const ids = (role: 'broker' | 'controller') => cluster.nodes().flatMap((node) => (node.role === role ? [node.id] : []))
  const brokers = ids('broker')
  // A quorum of one has no minority to lose.
  const controllers = ids('controller').length >= 3 ? ids('controller') : []
  const turns = new Map<string, number>()
  for (let round = 0; performance.now() < untilMs; round++) {
    const isController = controllers.length > 0 && round % 3 === 2
    const nodes = isController ? controllers : brokers
    const action = actions[round % actions.length]!
    // Each action has a rotation of its own over the nodes, so that every node meets every action.
    const key = `${action} ${isController}`
    const turn = turns.get(key) ?? 0
    turns.set(key, turn + 1)
    const nodeId = nodes[turn % nodes.length]!
    onAction(action, nodeId, isController ? 'controller' : 'broker')
    await carryOut(cluster, action, nodeId)
    await healed(cluster, client, topics)
    await pause(CALM_MS)
  }
}

async function carryOut(cluster: EmbeddedCluster, action: Action, nodeId: number): Promise<void> {
  switch (action) {
    case 'kill':
      await cluster.kill(nodeId)
      await pause(DEAD_FOR_MS)
      await cluster.start(nodeId)
      return
    case 'restart':
      await cluster.restart(nodeId)
      return
    case 'pause':
    case 'long pause':
      await cluster.pause(nodeId)
      await pause(ACTION_MS[action])
      await cluster.resume(nodeId)
  }
}

/** Every partition has a leader and all of its replicas in sync. */
export async function healed(cluster: EmbeddedCluster, client: KafkaClient, topics: readonly string[]): Promise<void> {
  await until('every node to run', () => cluster.nodes().every(({ state }) => state === 'running'), HEALED_WITHIN_MS)
  const isHealed = async (): Promise<boolean> => {
    const found = await client.metadata({ topics: [...topics, '__consumer_offsets'], refresh: true }).catch(() => null)
    return (
      topics.every((topic) =>
        found?.topics.get(topic)?.partitions.every(({ leader, isr, replicas }) => leader !== null && isr.length === replicas.length),
      ) &&
      (found?.topics.get('__consumer_offsets')?.partitions.every(({ isr, replicas }) => isr.length === replicas.length) ?? true)
    )
  }
  await until('every replica to be in sync', isHealed, HEALED_WITHIN_MS)
}
