/**
 * How streams stay bounded on every transport.
 *
 * Neither a message port nor a WebSocket tells the sender that the reader is slow, so readers say so themselves: every
 * event carries the stream's id and a cursor, and the host sends at most `unacknowledgedMax` events beyond the last
 * acknowledged cursor. A state stream then skips to the latest state; a record stream stops reading from the brokers.
 * Use `follow`, which acknowledges.
 */
import { eventIterator, type } from '@orpc/contract'

/** Events the host sends ahead of the reader's acknowledgement. */
export const unacknowledgedMax = 4

export interface StreamEvent<Value> {
  readonly streamId: string
  /** 1 for the first event, then rising by one. */
  readonly cursor: number
  readonly value: Value
}

/** The output of a streaming procedure whose events carry `Value`. State streams: the first event is a whole snapshot. */
export function streamOf<Value>() {
  return eventIterator(type<StreamEvent<Value>>())
}

/** The part of the client that `follow` needs. */
export interface Acknowledger {
  readonly app: { acknowledge(input: { streamId: string; cursor: number }): Promise<unknown> }
}

/**
 * Hands every value of a stream to `onValue`, in order, acknowledging each once `onValue` has returned (or its promise has
 * resolved). Ends when the stream ends or the signal given to the call aborts; rejects when the stream fails.
 *
 * `await follow(client, client.clusters.watch(undefined, { signal }), (clusters) => store.replace(clusters))`
 */
export async function follow<Value>(
  client: Acknowledger,
  stream: PromiseLike<AsyncIterable<StreamEvent<Value>>>,
  onValue: (value: Value) => void | Promise<void>,
): Promise<void> {
  for await (const event of await stream) {
    await onValue(event.value)
    await client.app.acknowledge({ streamId: event.streamId, cursor: event.cursor })
  }
}
