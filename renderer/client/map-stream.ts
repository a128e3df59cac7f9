import type { StreamEvent } from '../../broker/contract/stream.ts'

/** The same stream with its values in another shape; cursors stay, so acknowledging works as before. */
export async function* mapStream<A, B>(
  stream: PromiseLike<AsyncIterable<StreamEvent<A>>>,
  change: (value: A) => B,
): AsyncGenerator<StreamEvent<B>, void, void> {
  for await (const event of await stream) yield { ...event, value: change(event.value) }
}
