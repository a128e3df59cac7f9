import { describe, expect, it, vi } from 'vitest'
import type { StreamEvent } from '../../../broker/contract/stream.ts'
import { followAndResume, type FollowStatus } from '../../../renderer/client/resume.ts'

const acknowledger = { app: { acknowledge: () => Promise.resolve(null) } }

async function* streamOf<V>(values: readonly V[], end: 'ends' | 'fails'): AsyncGenerator<StreamEvent<V>> {
  for (const [index, value] of values.entries()) yield { streamId: 's', cursor: index + 1, value }
  if (end === 'fails') throw new Error('socket closed')
}

interface Run {
  values: number[]
  statuses: FollowStatus[]
}

/** Follows the given openings one after the other, and stops when another one is asked for. */
async function run(openings: (() => Promise<AsyncIterable<StreamEvent<number>>>)[]): Promise<Run> {
  const stop = new AbortController()
  const seen: Run = { values: [], statuses: [] }
  let opened = 0
  await followAndResume<number>({
    acknowledger,
    open: () => {
      const opening = openings[opened]
      opened += 1
      if (opening !== undefined) return opening()
      stop.abort()
      return Promise.reject(new Error('no more'))
    },
    onValue: (value) => seen.values.push(value),
    onStatus: (status) => seen.statuses.push(status),
    signal: stop.signal,
    pauseMs: () => 0,
  })
  return seen
}

describe('a subscription', () => {
  it('opens again after a loss and goes on with the new snapshot', async () => {
    const seen = await run([() => Promise.resolve(streamOf([1, 2], 'fails')), () => Promise.resolve(streamOf([3], 'ends'))])
    expect(seen.values).toEqual([1, 2, 3])
    expect(seen.statuses.slice(0, 4)).toEqual(['live', 'live', 'stale', 'live'])
  })

  it('says failed, not stale, while it has shown nothing', async () => {
    const seen = await run([() => Promise.reject(new Error('refused')), () => Promise.resolve(streamOf([7], 'ends'))])
    expect(seen.statuses[0]).toBe('failed')
    expect(seen.values).toEqual([7])
  })

  it('tells the host how far it has read', async () => {
    const acknowledge = vi.fn(() => Promise.resolve(null))
    const stop = new AbortController()
    await followAndResume<number>({
      acknowledger: { app: { acknowledge } },
      open: () => Promise.resolve(streamOf([1, 2], 'ends')),
      onValue: () => undefined,
      onStatus: (status) => status === 'stale' && stop.abort(),
      signal: stop.signal,
      pauseMs: () => 10_000,
    })
    expect(acknowledge.mock.calls).toEqual([[{ streamId: 's', cursor: 1 }], [{ streamId: 's', cursor: 2 }]])
  })

  it('delivers nothing once it is stopped', async () => {
    const stop = new AbortController()
    stop.abort()
    const onValue = vi.fn()
    await followAndResume({
      acknowledger,
      open: () => Promise.resolve(streamOf([1], 'ends')),
      onValue,
      onStatus: () => undefined,
      signal: stop.signal,
    })
    expect(onValue).not.toHaveBeenCalled()
  })
})
