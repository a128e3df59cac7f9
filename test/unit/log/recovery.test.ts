import { describe, expect, test } from 'vitest'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import { SimulatedRandom } from '../../../broker/env/sim-random.ts'
import { batchesIn, lastOffset } from '../../../broker/wire/record-batch.ts'
import { damaged } from '../../support/log-damage.ts'
import { appendAll, batchOf, folder, marker, openLog, readAll, simulatedLog, values } from './support.ts'

/** A folder with several segments, epochs, producers, transactions, compressed batches; closed clean. */
async function filledFolder(seed: number) {
  const { env, log } = await simulatedLog({ seed })
  for (let index = 0; index < 24; index++) {
    const producerId = 100 + (index % 3)
    const transactional = index % 3 === 0
    const batch = batchOf([{ key: `k${index}`, value: `value ${index}`.padEnd(20 + index) }, { value: 'x' }], {
      compression: (index % 5) as 0,
      producerId,
      producerEpoch: 0,
      baseSequence: Math.floor(index / 3) * 2,
      isTransactional: transactional,
    })
    await appendAll(log, [batch], { leaderEpoch: Math.floor(index / 5) })
    if (transactional)
      await appendAll(log, [marker({ producerId, commit: index % 2 === 0 })], { origin: 'coordinator', leaderEpoch: Math.floor(index / 5) })
  }
  const records = await readAll(log)
  const aborted = await log.abortedTransactions(0, log.logEndOffset)
  const epochs = log.core.epochs.entries
  await log.close()
  return { env, records, aborted, epochs, endOffset: log.logEndOffset }
}

async function damage(env: SimulatedEnv, path: string, random: SimulatedRandom): Promise<{ firstBadByte: number; before: Buffer }> {
  const before = (await env.disk.readFile(path)) ?? Buffer.alloc(0)
  const result = damaged(before, random)
  await env.disk.writeFileAtomic(path, result.content)
  return { firstBadByte: result.firstBadByte, before }
}

/** Where the log must end at least: after the last batch that lies wholly before the first bad byte. */
function endOfGood(path: string, before: Buffer, firstBadByte: number): number {
  let end = Number(path.slice(path.lastIndexOf('/') + 1, -4))
  for (const { header, position } of batchesIn(before)) {
    if (position + header.batchBytes <= firstBadByte) end = lastOffset(header) + 1
  }
  return end
}

describe('after damage to any one file', { timeout: 30_000 }, () => {
  test('the log opens, has everything before the first bad byte, and goes on', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const { env, records, endOffset } = await filledFolder(seed)
      const random = new SimulatedRandom(seed)
      const paths = env.diskControl.names.paths().filter((path) => path.startsWith(`${folder}/`))
      const path = paths[random.below(paths.length)] ?? ''
      const { firstBadByte, before } = await damage(env, path, random)
      const reopened = await openLog(env.restartAfter('kill'), { isClean: random.below(2) === 0 && !path.endsWith('.log') })
      const leastEnd = path.endsWith('.log') ? endOfGood(path, before, firstBadByte) : endOffset
      const context = `seed ${seed}, ${path}, first bad byte ${firstBadByte}`
      expect({ context, isShort: reopened.logEndOffset < leastEnd }).toEqual({ context, isShort: false })
      const expected = records.filter(({ offset }) => offset < reopened.logEndOffset)
      expect({ context, records: await readAll(reopened) }).toEqual({ context, records: expected })
      const offset = reopened.logEndOffset
      await appendAll(reopened, [values('next')])
      expect({ context, record: (await readAll(reopened)).at(-1) }).toMatchObject({ context, record: { offset, value: 'next' } })
      await reopened.close()
    }
  })

  test('a log that was not damaged loses nothing, whatever else was', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { env, records, aborted, epochs } = await filledFolder(seed)
      const random = new SimulatedRandom(seed)
      for (const path of env.diskControl.names.paths()) {
        if (path.startsWith(`${folder}/`) && !path.endsWith('.log')) await damage(env, path, random)
      }
      const reopened = await openLog(env.restartAfter('kill'))
      expect(await readAll(reopened)).toEqual(records)
      expect(await reopened.abortedTransactions(0, reopened.logEndOffset)).toEqual(aborted)
      expect(reopened.core.epochs.entries).toEqual(epochs)
      expect(
        reopened
          .producers()
          .map(({ producerId, lastSequence }) => [producerId, lastSequence])
          .sort(),
      ).toEqual([
        [100, 15],
        [101, 15],
        [102, 15],
      ])
    }
  })
})

test('a recovery point keeps what was synced from being read again', async () => {
  const { env, log } = await simulatedLog()
  await appendAll(
    log,
    Array.from({ length: 200 }, (_, index) => values(`value ${index}`)),
  )
  await log.checkpoint()
  await appendAll(log, [values('after')])
  const recoveryPoint = log.recoveryPoint
  const reopened = await openLog(env.restartAfter('kill'), { recoveryPoint })
  expect(reopened.logEndOffset).toBe(201)
  expect(reopened.scannedBytes).toBeLessThan(1000)
  expect(await readAll(reopened)).toHaveLength(201)
})

test('a log start beyond the log is not believed', async () => {
  const { env, log } = await simulatedLog()
  await appendAll(log, [values('a')])
  const reopened = await openLog(env.restartAfter('kill'), { logStartOffset: 999 })
  expect([reopened.logStartOffset, reopened.logEndOffset]).toEqual([0, 1])
})

test('a damaged batch met while reading is answered with CORRUPT_MESSAGE, not an exception', async () => {
  const { env, log } = await simulatedLog()
  await appendAll(log, [values('a'), values('b')])
  await log.close()
  const path = `${folder}/00000000000000000000.log`
  const content = await env.disk.readFile(path)
  content?.writeInt32BE(-5, 8)
  await env.disk.writeFileAtomic(path, content ?? Buffer.alloc(0))
  const { log: other } = await simulatedLog({ seed: 2 })
  await appendAll(other, [values('a'), values('b')])
  other.core.forgetTail()
  const file = await other.core.segments.active.file()
  await file.write(0, [content ?? Buffer.alloc(0)])
  const result = await other.read({ fromOffset: 0, maxBytes: 100, upToOffset: 2, atLeastOneBatch: true })
  expect([result.errorCode, other.offline]).toEqual([2, null])
})
