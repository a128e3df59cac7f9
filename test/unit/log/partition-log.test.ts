import { describe, expect, test } from 'vitest'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { batchesIn } from '../../../broker/wire/record-batch.ts'
import { appendAll, batchOf, folder, marker, openLog, readAll, readValues, simulatedLog, smallConfig, values } from './support.ts'

const client = { leaderEpoch: 0, origin: 'client' } as const

describe('appending', () => {
  test('offsets are assigned in the order of the calls, before anything is written', async () => {
    const { log } = await simulatedLog()
    const results = ['a', 'b', 'c'].map((value) => log.append(values(value, value), client))
    expect(results.map((result) => [result.baseOffset, result.lastOffset])).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ])
    expect([log.logEndOffset, log.writtenEndOffset]).toEqual([6, 0])
    expect(await Promise.all(results.map((result) => result.written))).toEqual([0, 0, 0])
    expect(log.writtenEndOffset).toBe(6)
    expect(await readValues(log)).toEqual(['a', 'a', 'b', 'b', 'c', 'c'])
  })

  test('the writes of one turn reach the disk as one', async () => {
    const { env, log } = await simulatedLog()
    let writes = 0
    const file = await log.core.segments.active.file()
    const original = file.write.bind(file)
    file.write = (position, chunks) => {
      writes++
      return original(position, chunks)
    }
    const results = Array.from({ length: 5 }, (_, index) => log.append(values(String(index)), client))
    await Promise.all(results.map((result) => result.written))
    expect(writes).toBe(1)
    expect((await env.disk.stat(`${folder}/00000000000000000000.log`))?.bytes).toBe(log.sizeBytes)
  })

  test('a failed write takes the log offline: no later append is taken, none is acknowledged', async () => {
    const { env, log } = await simulatedLog()
    await appendAll(log, [values('kept')])
    env.diskControl.failNext({ operations: ['write'], code: 'ENOSPC' })
    const lost = [log.append(values('lost'), client), log.append(values('lost too'), client)]
    expect(await Promise.all(lost.map((result) => result.written))).toEqual([56, 56])
    expect(log.append(values('refused'), client).errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
    expect(log.offline?.reason).toContain('ENOSPC')
    const read = await log.read({ fromOffset: 0, maxBytes: 100, upToOffset: 1, atLeastOneBatch: true })
    expect(read.errorCode).toBe(ErrorCode.KAFKA_STORAGE_ERROR)
  })

  test('appends beyond the bound of unwritten bytes are refused, and taken again once written', async () => {
    const { log } = await simulatedLog({ limits: { pendingWriteBytesMax: 200 } })
    const results = Array.from({ length: 6 }, () => log.append(values('x'.repeat(50)), client))
    expect(results.map((result) => result.errorCode)).toEqual([0, 0, 7, 7, 7, 7])
    await results[1]?.written
    expect(log.append(values('x'), client).errorCode).toBe(0)
  })

  test('flush.messages: an acknowledgement means that the record was synced', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ flushRecordCount: 1 }) })
    await appendAll(log, [values('a'), values('b')])
    expect(log.recoveryPoint).toBe(2)
    const next = env.restartAfter('powerLoss')
    expect(await readValues(await openLog(next))).toEqual(['a', 'b'])
  })
})

describe('reading', () => {
  test('whole batches only, as many as fit, and the first one whatever its size', async () => {
    const { log } = await simulatedLog({ config: smallConfig({ segmentBytes: 100_000 }) })
    await appendAll(log, [values('a', 'b'), values('c'), values('d'.repeat(500))])
    const first = values('a', 'b').length
    for (const [maxBytes, atLeastOneBatch, expected] of [
      [first - 1, false, 0],
      [first - 1, true, 2],
      [first, false, 2],
      [first + values('c').length, false, 3],
      [10_000, false, 4],
    ] as const) {
      const result = await log.read({ fromOffset: 0, maxBytes, upToOffset: 4, atLeastOneBatch })
      expect(result.nextOffset).toBe(expected)
    }
  })

  test('an offset within a batch yields the batch from its start', async () => {
    const { log } = await simulatedLog()
    await appendAll(log, [values('a', 'b', 'c')])
    const result = await log.read({ fromOffset: 2, maxBytes: 1, upToOffset: 3, atLeastOneBatch: true })
    expect([result.firstOffset, result.nextOffset]).toEqual([0, 3])
  })

  test('nothing at or above the given end is returned', async () => {
    const { log } = await simulatedLog()
    await appendAll(log, [values('a'), values('b'), values('c')])
    const result = await log.read({ fromOffset: 0, maxBytes: 10_000, upToOffset: 2, atLeastOneBatch: true })
    expect(result.nextOffset).toBe(2)
  })

  test('memory and disk give the same bytes, across segments', async () => {
    const inMemory = await simulatedLog()
    const onDisk = await simulatedLog({ limits: { tailCacheBytesMax: 0 } })
    const batches = () => Array.from({ length: 40 }, (_, index) => values(`value ${index}`, 'x'.repeat(index * 7)))
    await appendAll(inMemory.log, batches())
    await appendAll(onDisk.log, batches())
    expect(inMemory.log.segmentCount).toBeGreaterThan(5)
    expect(inMemory.log.readCached({ fromOffset: 0, maxBytes: 10, upToOffset: 80, atLeastOneBatch: true })).not.toBeNull()
    expect(onDisk.log.readCached({ fromOffset: 0, maxBytes: 10, upToOffset: 80, atLeastOneBatch: true })).toBeNull()
    expect(await readAll(inMemory.log)).toEqual(await readAll(onDisk.log))
  })

  test('offsets outside the log are refused', async () => {
    const { log } = await simulatedLog()
    await appendAll(log, [values('a'), values('b')])
    log.deleteRecordsBefore(1)
    const read = (fromOffset: number) => log.read({ fromOffset, maxBytes: 100, upToOffset: 2, atLeastOneBatch: true })
    expect((await read(0)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect((await read(1)).errorCode).toBe(ErrorCode.NONE)
    expect((await read(2)).errorCode).toBe(ErrorCode.NONE)
    expect((await read(3)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
  })

  test('an index that lies about the file is made anew, and the read is right', async () => {
    const { env, log } = await simulatedLog()
    await appendAll(
      log,
      Array.from({ length: 30 }, (_, index) => values(`value ${index}`)),
    )
    await log.close()
    for (const path of env.diskControl.names.paths()) {
      if (!path.endsWith('.index')) continue
      const content = await env.disk.readFile(path)
      if (content === null || content.length === 0) continue
      for (let at = 4; at < content.length; at += 8) content.writeInt32BE(content.readInt32BE(at) + 1, at)
      await env.disk.writeFileAtomic(path, content)
    }
    const reopened = await openLog(env, { isClean: true })
    expect(await readValues(reopened)).toEqual(Array.from({ length: 30 }, (_, index) => `value ${index}`))
    expect((await readAll(reopened, 17))[0]?.value).toBe('value 17')
  })

  test('a batch that claims lower offsets than those before it leads no reader backwards', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ segmentBytes: 10_000 }) })
    const batches = Array.from({ length: 6 }, (_, index) => values(`value ${index}`))
    await appendAll(log, batches)
    await log.close()
    const reopened = await openLog(env, { isClean: true, recoveryPoint: 6, config: smallConfig({ segmentBytes: 10_000 }) })
    const batchBytes = batches[0]?.length ?? 0
    const claim = Buffer.alloc(8)
    claim.writeBigInt64BE(1n)
    const file = await env.disk.open(`${folder}/00000000000000000000.log`)
    await file.write(4 * batchBytes, [claim])
    for (let fromOffset = 0; fromOffset < 6; fromOffset++) {
      for (const maxBytes of [1, 2 * batchBytes, 3 * batchBytes]) {
        const { nextOffset } = await reopened.read({ fromOffset, maxBytes, upToOffset: 6, atLeastOneBatch: true })
        expect(nextOffset).toBeGreaterThan(fromOffset)
      }
    }
  })
})

describe('epochs', () => {
  test('the end of an epoch is where the next begins', async () => {
    const { env, log } = await simulatedLog()
    await appendAll(log, [values('a'), values('b')], { leaderEpoch: 1 })
    await appendAll(log, [values('c')], { leaderEpoch: 4 })
    const expected = [
      [0, { leaderEpoch: 0, endOffset: 0 }],
      [1, { leaderEpoch: 1, endOffset: 2 }],
      [3, { leaderEpoch: 1, endOffset: 2 }],
      [4, { leaderEpoch: 4, endOffset: 3 }],
      [5, { leaderEpoch: -1, endOffset: -1 }],
    ] as const
    for (const [epoch, end] of expected) expect(log.endOffsetForEpoch(epoch)).toEqual(end)
    await log.close()
    const reopened = await openLog(env, { isClean: true })
    for (const [epoch, end] of expected) expect(reopened.endOffsetForEpoch(epoch)).toEqual(end)
    const content = await env.disk.readFile(`${folder}/leader-epoch-checkpoint`)
    expect(content?.toString()).toBe('0\n2\n1 0\n4 2\n')
  })
})

describe('time', () => {
  test('the first record at or after a time is found, across segments and restarts', async () => {
    const { env, log } = await simulatedLog({ config: smallConfig({ timestampAfterMaxMs: Number.MAX_SAFE_INTEGER }) })
    const batches = Array.from({ length: 50 }, (_, index) =>
      batchOf([
        { value: 'a', timestampMs: 1000 + index * 10 },
        { value: 'b', timestampMs: 1005 + index * 10 },
      ]),
    )
    await appendAll(log, batches)
    for (const restarts of [0, 1]) {
      if (restarts === 1) await log.close()
      const current = restarts === 0 ? log : await openLog(env, { isClean: true, config: log.config })
      for (const [timestampMs, offset] of [
        [0, 0],
        [1000, 0],
        [1001, 1],
        [1250, 50],
        [1251, 51],
        [1495, 99],
      ] as const) {
        expect((await current.offsetForTimestamp(timestampMs, 100))?.offset).toBe(offset)
      }
      expect(await current.offsetForTimestamp(1496, 100)).toBeNull()
      expect(await current.offsetForTimestamp(1495, 99)).toBeNull()
      expect(await current.offsetOfMaxTimestamp(100)).toMatchObject({ offset: 99, timestampMs: 1495 })
      expect(await current.offsetOfMaxTimestamp(98)).toMatchObject({ offset: 97, timestampMs: 1485 })
    }
  })
})

describe('transactions', () => {
  test('the last stable offset waits for the marker, and for the marker to be replicated', async () => {
    const { log } = await simulatedLog()
    const data = (value: string, baseSequence: number) =>
      batchOf([{ value }], { producerId: 7, producerEpoch: 0, baseSequence, isTransactional: true })
    await appendAll(log, [values('plain'), data('t1', 0), values('other')])
    expect([log.highWatermark, log.lastStableOffset]).toEqual([3, 1])
    log.append(marker({ producerId: 7, commit: false }), { leaderEpoch: 0, origin: 'coordinator' })
    expect(log.lastStableOffset).toBe(1)
    log.setHighWatermark(4)
    expect(log.lastStableOffset).toBe(4)
    expect(await log.abortedTransactions(0, 4)).toEqual([{ producerId: 7, firstOffset: 1 }])
    expect(await log.abortedTransactions(2, 3)).toEqual([{ producerId: 7, firstOffset: 1 }])
    expect(await log.abortedTransactions(0, 1)).toEqual([])
  })

  test('aborted transactions are known after a crash, from the log alone', async () => {
    const { env, log } = await simulatedLog()
    for (let index = 0; index < 20; index++) {
      const producerId = 10 + index
      await appendAll(log, [batchOf([{ value: 'x'.repeat(40) }], { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })])
      await appendAll(log, [marker({ producerId, commit: index % 2 === 0 })], { origin: 'coordinator' })
    }
    const expected = Array.from({ length: 10 }, (_, index) => ({ producerId: 11 + index * 2, firstOffset: 2 + index * 4 }))
    expect(await log.abortedTransactions(0, 40)).toEqual(expected)
    const reopened = await openLog(env.restartAfter('kill'))
    expect(await reopened.abortedTransactions(0, 40)).toEqual(expected)
  })

  test('a marker of a fenced coordinator is refused', async () => {
    const { log } = await simulatedLog()
    const append = (coordinatorEpoch: number) =>
      log.append(marker({ producerId: 7, commit: true, coordinatorEpoch }), { leaderEpoch: 0, origin: 'coordinator' }).errorCode
    expect([append(2), append(1), append(2)]).toEqual([0, ErrorCode.TRANSACTION_COORDINATOR_FENCED, 0])
  })
})

describe('replication', () => {
  test("a follower's log is the leader's, byte for byte, with its epochs", async () => {
    const leader = await simulatedLog()
    const follower = await simulatedLog({ seed: 2 })
    await appendAll(leader.log, [values('a', 'b'), values('c')], { leaderEpoch: 3 })
    await appendAll(leader.log, [values('d')], { leaderEpoch: 5 })
    const { records } = await leader.log.read({ fromOffset: 0, maxBytes: 10_000, upToOffset: 4, atLeastOneBatch: true })
    await appendAll(follower.log, [Buffer.concat(records)], { origin: 'replication', leaderEpoch: 5 })
    expect(await readAll(follower.log)).toEqual(await readAll(leader.log))
    expect(follower.log.endOffsetForEpoch(3)).toEqual({ leaderEpoch: 3, endOffset: 3 })
  })

  test('batches that do not continue the log, or fail their checksum, are refused whole', async () => {
    const { log } = await simulatedLog()
    const { log: leader } = await simulatedLog({ seed: 2 })
    await appendAll(leader, [values('a'), values('b')])
    const { records } = await leader.read({ fromOffset: 0, maxBytes: 10_000, upToOffset: 2, atLeastOneBatch: true })
    const bytes = Buffer.concat(records)
    const replicate = (batches: Buffer) => log.append(batches, { leaderEpoch: 0, origin: 'replication' })
    const corrupt = Buffer.from(bytes)
    corrupt[corrupt.length - 1] = 0xff
    expect(replicate(corrupt).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE)
    expect(log.logEndOffset).toBe(0)
    expect(replicate(bytes).errorCode).toBe(ErrorCode.NONE)
    expect(replicate(bytes).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    expect(log.logEndOffset).toBe(2)
  })

  test('truncation removes whole batches, everywhere', async () => {
    const { env, log } = await simulatedLog()
    for (let epoch = 0; epoch < 20; epoch++) {
      await appendAll(log, [values(`${epoch} a`, `${epoch} b`), values(`${epoch} c`.padEnd(60, '.'))], { leaderEpoch: epoch })
    }
    expect(await log.truncateTo(31)).toBe(0)
    expect([log.logEndOffset, log.highWatermark, log.latestEpoch]).toEqual([30, 30, 9])
    expect(await readAll(log)).toHaveLength(30)
    await appendAll(log, [values('new')], { leaderEpoch: 30 })
    expect((await readAll(log)).at(-1)).toMatchObject({ offset: 30, value: 'new' })
    const reopened = await openLog(env.restartAfter('powerLoss'))
    expect(reopened.logEndOffset).toBeGreaterThanOrEqual(0)
    expect(reopened.logEndOffset).toBeLessThanOrEqual(31)
  })

  test('truncation to the log end forgets epochs in which nothing was written', async () => {
    const { log } = await simulatedLog()
    await appendAll(log, [values('a', 'b')], { leaderEpoch: 2 })
    log.assignEpochStart(5)
    expect(await log.truncateTo(2)).toBe(0)
    expect([log.logEndOffset, log.latestEpoch]).toEqual([2, 2])
  })

  test('a log emptied to start elsewhere does so, also after a restart', async () => {
    const { env, log } = await simulatedLog()
    await appendAll(log, [values('a'), values('b')])
    expect(await log.truncateFullyAndStartAt(500)).toBe(0)
    expect([log.logStartOffset, log.logEndOffset, log.highWatermark]).toEqual([500, 500, 500])
    await appendAll(log, [values('c')])
    await log.close()
    const reopened = await openLog(env, { isClean: true })
    expect(await readAll(reopened)).toMatchObject([{ offset: 500, value: 'c' }])
  })
})

test('stored batches carry their offset and the leader epoch', async () => {
  const { log } = await simulatedLog()
  await appendAll(log, [values('a')], { leaderEpoch: 2 })
  await appendAll(log, [values('b')], { leaderEpoch: 6 })
  const { records } = await log.read({ fromOffset: 0, maxBytes: 1000, upToOffset: 2, atLeastOneBatch: true })
  const headers = records.flatMap((buffer) => [...batchesIn(buffer)].map(({ header }) => header))
  expect(headers.map((header) => [header.baseOffset, header.partitionLeaderEpoch])).toEqual([
    [0, 2],
    [1, 6],
  ])
})
