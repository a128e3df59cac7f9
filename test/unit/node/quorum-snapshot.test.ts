import { describe, expect, it } from 'vitest'
import { QuorumSnapshot, type SnapshotRequest } from '../../../broker/node/quorum-snapshot.ts'
import type { QuorumEvent } from '../../../broker/quorum/types.ts'

const snapshot = { endOffset: 40, epoch: 3 }

interface Fetch {
  readonly request: SnapshotRequest
  readonly arrived: () => void
  readonly failed: (reason: Error) => void
}

function fetching() {
  const events: QuorumEvent[] = []
  const logged: string[] = []
  const fetches: Fetch[] = []
  const made = new QuorumSnapshot({
    log: { write: (_level, message) => void logged.push(message) },
    report: (event) => void events.push(event),
    fetch: (request) =>
      new Promise((resolve, reject) => {
        fetches.push({ request, arrived: resolve, failed: reject })
      }),
  })
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  return { made, events, logged, fetches, settled }
}

describe('fetching a snapshot', () => {
  it('reports every part, and the whole', async () => {
    const { made, events, fetches, settled } = fetching()
    made.fetch({ from: 1001, snapshot, epoch: 5 })
    fetches[0]!.request.onPart()
    fetches[0]!.arrived()
    await settled()
    expect(fetches[0]!.request).toMatchObject({ from: 1001, snapshot, epoch: 5 })
    expect(events).toEqual([
      { type: 'snapshotPart', from: 1001 },
      { type: 'snapshotFetched', from: 1001, snapshot },
    ])
  })

  it('reports that it cannot be had, and says why in the log', async () => {
    const { made, events, logged, fetches, settled } = fetching()
    made.fetch({ from: 1001, snapshot, epoch: 5 })
    fetches[0]!.failed(new Error('gone'))
    await settled()
    expect(events).toEqual([{ type: 'snapshotFailed', from: 1001 }])
    expect(logged.at(-1)).toBe('a snapshot of the metadata could not be fetched')
  })

  it('is silent of one that was given up for another', async () => {
    const { made, events, fetches, settled } = fetching()
    made.fetch({ from: 1001, snapshot, epoch: 5 })
    made.fetch({ from: 1002, snapshot, epoch: 6 })
    expect(fetches.map(({ request }) => request.signal.aborted)).toEqual([true, false])
    fetches[0]!.request.onPart()
    fetches[0]!.failed(new Error('given up'))
    fetches[1]!.arrived()
    await settled()
    expect(events).toEqual([{ type: 'snapshotFetched', from: 1002, snapshot }])
  })
})
