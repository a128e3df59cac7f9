import type { TopicConsumer } from '../../broker/contract/topics.ts'

/** Groups with their partitions below them, as rows of one grid. */
export type ConsumerRow =
  | { kind: 'group'; key: string; groupId: string; state: string; memberCount: number; lag: number | null }
  | {
      kind: 'partition'
      key: string
      groupId: string
      partition: number
      committedOffset: number | null
      lag: number | null
      memberId: string | null
      clientId: string | null
      host: string | null
    }

/** Kafka's own brokers write an address as Java prints one, with a slash before it. */
export function plainHost(host: string): string {
  return host.startsWith('/') ? host.slice(1) : host
}

export function consumerRows(consumers: readonly TopicConsumer[], closed: ReadonlySet<string>): ConsumerRow[] {
  return consumers.flatMap((consumer): ConsumerRow[] => {
    const { groupId } = consumer
    const head: ConsumerRow = {
      kind: 'group',
      key: groupId,
      groupId,
      state: consumer.state,
      memberCount: consumer.memberCount,
      lag: consumer.lag,
    }
    if (closed.has(groupId)) return [head]
    return [
      head,
      ...consumer.partitions.map((partition): ConsumerRow => ({
        kind: 'partition',
        key: `${groupId}\0${partition.partition}`,
        groupId,
        ...partition,
        host: partition.host === null ? null : plainHost(partition.host),
      })),
    ]
  })
}
