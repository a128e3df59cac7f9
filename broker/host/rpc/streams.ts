/**
 * Streams to clients, bounded by acknowledgement.
 *
 * Invariant: of one stream at most `unacknowledgedMax` events are on their way. While that many are, a state stream reads
 * nothing (and later sends the newest state, skipping those between), and a record stream is not asked for its next batch.
 * So what a slow client costs the host is a handful of events, whatever the transport buffers.
 */
import { unacknowledgedMax, type StreamEvent } from '../../contract/stream.ts'
import type { Env } from '../../env/types.ts'
import { HostError, toRpcError } from '../problem.ts'
import type { Changes } from './changes.ts'
import { pause } from './waiting.ts'

/** Streams open at a time, over all clients. */
export const openStreamsMax = 1_000

interface OpenStream {
  sentCursor: number
  acknowledgedCursor: number
  wake: () => void
}

export interface StateSource<Value> {
  /** The state now; called again after a change. */
  read(): Value | Promise<Value>
  readonly changes: Pick<Changes, 'on'>
  /** At least this long between two events. */
  readonly intervalMs: number
  /** True ends the stream after this value. */
  isLast?(value: Value): boolean
}

export interface Streams {
  acknowledge(streamId: string, cursor: number): void
  /** A snapshot, then the latest state after changes. */
  state<Value>(source: StateSource<Value>, signal: AbortSignal | undefined): AsyncGenerator<StreamEvent<Value>, void, void>
  /** All batches of `batches`, each asked for only when the client has room. `batches` must end when the signal aborts. */
  batches<Value>(
    batches: (signal: AbortSignal) => AsyncGenerator<Value, void, void>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<StreamEvent<Value>, void, void>
  /** Streams open now. */
  readonly openCount: number
}

export function createStreams(env: Env): Streams {
  const open = new Map<string, OpenStream>()

  function begin(signal: AbortSignal): { streamId: string; stream: OpenStream } {
    if (open.size >= openStreamsMax) {
      throw new HostError('QUERY_LIMIT', `${openStreamsMax} subscriptions are open already.`, {
        advice: 'Close windows that are not needed.',
      })
    }
    const streamId = env.random.uuid()
    const stream: OpenStream = { sentCursor: 0, acknowledgedCursor: 0, wake: () => undefined }
    open.set(streamId, stream)
    signal.addEventListener('abort', () => stream.wake(), { once: true })
    return { streamId, stream }
  }

  const hasRoom = (stream: OpenStream): boolean => stream.sentCursor - stream.acknowledgedCursor < unacknowledgedMax

  function event<Value>(streamId: string, stream: OpenStream, value: Value): StreamEvent<Value> {
    stream.sentCursor += 1
    return { streamId, cursor: stream.sentCursor, value }
  }

  /** Until `condition` holds; looked at again whenever the stream is woken. */
  async function until(stream: OpenStream, signal: AbortSignal, condition: () => boolean): Promise<void> {
    while (!condition() && !signal.aborted) {
      await new Promise<void>((resolve) => {
        stream.wake = resolve
      })
    }
  }

  async function* state<Value>(source: StateSource<Value>, outer: AbortSignal | undefined): AsyncGenerator<StreamEvent<Value>, void, void> {
    const ending = linked(outer)
    const { signal } = ending
    const { streamId, stream } = begin(signal)
    let isChanged = true
    const stop = source.changes.on(() => {
      isChanged = true
      stream.wake()
    })
    try {
      while (!signal.aborted) {
        await until(stream, signal, () => isChanged && hasRoom(stream))
        if (signal.aborted) return
        isChanged = false
        const value = await source.read()
        if (signal.aborted) return
        yield event(streamId, stream, value)
        if (source.isLast?.(value)) return
        await pause(env, source.intervalMs, signal)
      }
    } catch (error) {
      throw toRpcError(error)
    } finally {
      stop()
      ending.abort()
      open.delete(streamId)
    }
  }

  async function* batches<Value>(
    produce: (signal: AbortSignal) => AsyncGenerator<Value, void, void>,
    outer: AbortSignal | undefined,
  ): AsyncGenerator<StreamEvent<Value>, void, void> {
    const ending = linked(outer)
    const { streamId, stream } = begin(ending.signal)
    try {
      for await (const value of produce(ending.signal)) {
        if (ending.signal.aborted) return
        yield event(streamId, stream, value)
        await until(stream, ending.signal, () => hasRoom(stream))
        if (ending.signal.aborted) return
      }
    } catch (error) {
      throw toRpcError(error)
    } finally {
      ending.abort()
      open.delete(streamId)
    }
  }

  return {
    state,
    batches,
    acknowledge(streamId, cursor) {
      const stream = open.get(streamId)
      if (stream === undefined) return
      stream.acknowledgedCursor = Math.max(stream.acknowledgedCursor, Math.min(cursor, stream.sentCursor))
      stream.wake()
    },
    get openCount() {
      return open.size
    },
  }
}

/** A controller that also aborts when `outer` does. */
function linked(outer: AbortSignal | undefined): AbortController {
  const controller = new AbortController()
  if (outer?.aborted) controller.abort()
  else outer?.addEventListener('abort', () => controller.abort(), { once: true, signal: controller.signal })
  return controller
}
