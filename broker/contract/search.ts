/** What the palette finds: topics, groups and brokers of every cluster, from what the host already knows. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { filterText } from './common.ts'

export interface SearchHit {
  readonly kind: 'cluster' | 'topic' | 'group' | 'broker'
  readonly clusterId: string
  readonly clusterName: string
  /** Topic name, group id, broker id as text, cluster name. */
  readonly name: string
  /** A few words beside it: `10 partitions`, `Stable, 3 members`. */
  readonly hint: string
}

export const searchContract = {
  /** Best first: exact, then prefix, then anywhere. Never waits for a cluster. */
  find: procedure
    .input(
      v.object({
        text: filterText,
        count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 30),
      }),
    )
    .output(type<readonly SearchHit[]>()),
}
