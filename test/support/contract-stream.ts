import type { HostClient } from '../../broker/contract/contract.ts'
import { follow, type StreamEvent } from '../../broker/contract/stream.ts'

/** The first value of a stream that satisfies `condition`. */
export async function firstOf<Value>(
  client: HostClient,
  open: (signal: AbortSignal) => PromiseLike<AsyncIterable<StreamEvent<Value>>>,
  condition: (value: Value) => boolean,
): Promise<Value> {
  const ending = new AbortController()
  const found: Value[] = []
  await follow(client, open(ending.signal), (value) => {
    if (found.length > 0 || !condition(value)) return
    found.push(value)
    ending.abort()
  }).catch((error: unknown) => {
    if (found.length === 0) throw error
  })
  const [value] = found
  if (value === undefined) throw new Error('the stream ended')
  return value
}
