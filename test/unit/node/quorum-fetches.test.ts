import { describe, expect, it } from 'vitest'
import type { Env } from '../../../broker/env/types.ts'
import type { MetadataLog } from '../../../broker/node/metadata-log.ts'
import { QuorumFetches } from '../../../broker/node/quorum-fetches.ts'
import type { FetchRequest, FetchResponse, QuorumState } from '../../../broker/quorum/types.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { manualTime } from '../../support/manual-time.ts'

const request: FetchRequest = {
  api: 'fetch',
  clusterId: null,
  replica: { id: 2, directoryId: 'b' },
  epoch: 3,
  fetchOffset: 10,
  lastFetchedEpoch: 3,
  highWatermark: 8,
  maxWaitMs: 500,
  sequence: 1,
}
const state = { epoch: 3, highWatermark: 8, config: { self: { id: 1001, directoryId: 'a' } } } as QuorumState

/** The log of a leader, which ends at `writtenOffset`. */
function leader(writtenOffset: number, records: Promise<Buffer> = Promise.resolve(Buffer.from('records'))) {
  const time = manualTime()
  const env = { timers: time.timers, clock: { nowMs: () => time.nowMs(), monotonicMs: () => time.nowMs() } } as Env
  const answers: FetchResponse[] = []
  const askedAgain: FetchRequest[] = []
  const log = { writtenOffset, startOffset: 0, readForFollower: () => records } as unknown as MetadataLog
  const fetches = new QuorumFetches(env, {
    log,
    answer: (_token, response) => void answers.push(response),
    askAgain: (_token, again) => void askedAgain.push(again),
  })
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  return { fetches, time, answers, askedAgain, settled }
}

describe('a fetch of the metadata log', () => {
  it('is answered at once with what comes next', async () => {
    const { fetches, answers, settled } = leader(12)
    fetches.serve(1, request, state)
    await settled()
    expect(answers).toMatchObject([
      { errorCode: ErrorCode.NONE, leaderId: 1001, epoch: 3, highWatermark: 8, records: Buffer.from('records') },
    ])
  })

  it('is answered at once, without records, when more is committed than it knows', async () => {
    const { fetches, answers, settled } = leader(10)
    fetches.serve(1, { ...request, highWatermark: 7 }, state)
    await settled()
    expect(answers).toMatchObject([{ errorCode: ErrorCode.NONE, highWatermark: 8, records: Buffer.alloc(0) }])
  })

  it('that finds nothing new is asked again when there is news, for the rest of its time', async () => {
    const { fetches, time, answers, askedAgain, settled } = leader(10)
    fetches.serve(1, request, state)
    time.advance(200)
    fetches.news()
    await settled()
    expect(answers).toEqual([])
    expect(askedAgain).toEqual([{ ...request, maxWaitMs: 300 }])
  })

  it('is not asked again once nobody waits for it', () => {
    const { fetches, time, askedAgain } = leader(10)
    fetches.serve(1, request, state)
    fetches.forget(1)
    fetches.news()
    time.advance(1_000)
    expect(askedAgain).toEqual([])
  })

  it('is answered KAFKA_STORAGE_ERROR when the log cannot be read', async () => {
    const { fetches, answers, settled } = leader(12, Promise.reject(new Error('EIO')))
    fetches.serve(1, request, state)
    await settled()
    expect(answers).toMatchObject([{ errorCode: ErrorCode.KAFKA_STORAGE_ERROR, records: Buffer.alloc(0) }])
  })
})
