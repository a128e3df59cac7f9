import type { StreamEvent } from '../../broker/contract/stream.ts'
import { pause } from '../lib/backoff.ts'

let streams = 0

/** A state stream: what `read` says now, and again every so often until the reader goes. */
export async function* streamed<V>(
  read: () => V,
  everyMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamEvent<V>, void, void> {
  streams += 1
  const streamId = `stream-${streams}`
  const stop = signal ?? new AbortController().signal
  for (let cursor = 1; ; cursor += 1) {
    yield { streamId, cursor, value: read() }
    if (!(await pause(everyMs, stop))) return
  }
}
