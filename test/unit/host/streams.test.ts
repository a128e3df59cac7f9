import { describe, expect, test } from 'vitest'
import { unacknowledgedMax } from '../../../broker/contract/stream.ts'
import { createRealEnv } from '../../../broker/env/real.ts'
import { createChanges } from '../../../broker/host/rpc/changes.ts'
import { createStreams } from '../../../broker/host/rpc/streams.ts'

const env = createRealEnv()

describe('a record stream', () => {
  test('does not ask for the next batch while the reader has not acknowledged', async () => {
    const streams = createStreams(env)
    let produced = 0
    async function* numbers(signal: AbortSignal) {
      while (!signal.aborted) yield (produced += 1)
    }
    const stream = streams.batches(numbers, undefined)
    let streamId = ''
    for (let event = 0; event < unacknowledgedMax; event += 1) streamId = (await stream.next()).value?.streamId ?? ''
    const blocked = stream.next()
    await new Promise((resolve) => setImmediate(resolve))
    expect(produced).toBe(unacknowledgedMax)
    streams.acknowledge(streamId, 1)
    expect((await blocked).value).toMatchObject({ cursor: unacknowledgedMax + 1, value: unacknowledgedMax + 1 })
    await stream.return()
    expect(streams.openCount).toBe(0)
  })

  test('an acknowledgement of what was never sent counts as of what was', async () => {
    const streams = createStreams(env)
    async function* numbers() {
      for (let number = 0; number < 100; number += 1) yield number
    }
    const stream = streams.batches(numbers, undefined)
    const first = await stream.next()
    streams.acknowledge(first.value?.streamId ?? '', 1_000_000)
    for (let event = 0; event < unacknowledgedMax; event += 1) await stream.next()
    const blocked = stream.next()
    expect(await Promise.race([blocked, new Promise((resolve) => setImmediate(() => resolve('blocked')))])).toBe('blocked')
    streams.acknowledge(first.value?.streamId ?? '', 1_000_000)
    await blocked
    await stream.return()
  })
})

describe('a state stream', () => {
  test('ends when its call is aborted, and stops listening', async () => {
    const streams = createStreams(env)
    const changes = createChanges()
    const ending = new AbortController()
    const stream = streams.state({ read: () => 1, changes, intervalMs: 0 }, ending.signal)
    await stream.next()
    const waiting = stream.next()
    expect(changes.listenerCount).toBe(1)
    ending.abort()
    expect((await waiting).done).toBe(true)
    expect(changes.listenerCount).toBe(0)
  })

  test('ends after its last value', async () => {
    const streams = createStreams(env)
    const stream = streams.state(
      { read: () => 'done', changes: createChanges(), intervalMs: 0, isLast: (value) => value === 'done' },
      undefined,
    )
    expect((await stream.next()).value?.value).toBe('done')
    expect((await stream.next()).done).toBe(true)
  })

  test('fails with a code of the contract when its state cannot be read', async () => {
    const streams = createStreams(env)
    const read = (): never => {
      throw new Error('boom')
    }
    await expect(streams.state({ read, changes: createChanges(), intervalMs: 0 }, undefined).next()).rejects.toMatchObject({
      code: 'INTERNAL',
      data: { cause: 'boom' },
    })
  })
})
