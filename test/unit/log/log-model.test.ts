import fc from 'fast-check'
import { assert, test } from 'vitest'
import type { SimulatedEnv } from '../../../broker/env/simulated.ts'
import type { DiskPartitionLog } from '../../../broker/log/partition-log.ts'
import { appendAll, batchOf, decode, openLog, simulatedLog, smallConfig } from './support.ts'

/** The log as a list: what a reader must see, and up to where a power loss may not reach. */
interface Model {
  records: { offset: number; value: string }[]
  /** First offsets of batches: cuts fall on them. */
  batchStarts: number[]
  endOffset: number
  startOffset: number
  syncedTo: number
}

type Step =
  | { kind: 'append'; batches: string[][]; compression: number }
  | { kind: 'read'; at: number; maxBytes: number }
  | { kind: 'truncate'; at: number }
  | { kind: 'deleteBefore'; at: number }
  | { kind: 'restartAt'; at: number }
  | { kind: 'flush' | 'checkpoint' }
  | { kind: 'restart'; how: 'clean' | 'kill' | 'powerLoss'; forgetsRecoveryPoint: boolean }

const fraction = fc.double({ min: 0, max: 1, noNaN: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      batches: fc.array(fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
      compression: fc.constantFrom(0, 0, 1, 3, 4),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('read' as const), at: fraction, maxBytes: fc.nat(1500) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: fraction }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteBefore' as const), at: fraction }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'checkpoint' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      how: fc.constantFrom('clean' as const, 'kill' as const, 'powerLoss' as const),
      forgetsRecoveryPoint: fc.boolean(),
    }),
  },
)

class Harness {
  readonly model: Model = { records: [], batchStarts: [], endOffset: 0, startOffset: 0, syncedTo: 0 }
  #env: SimulatedEnv
  #log: DiskPartitionLog
  readonly #limits: { tailCacheBytesMax: number }

  constructor(env: SimulatedEnv, log: DiskPartitionLog, limits: { tailCacheBytesMax: number }) {
    this.#env = env
    this.#log = log
    this.#limits = limits
  }

  async take(current: Step): Promise<void> {
    const { model } = this
    const log = this.#log
    const offsetAt = (at: number) => model.startOffset + Math.floor(at * (model.endOffset - model.startOffset))
    if (current.kind === 'append') await this.#append(current)
    else if (current.kind === 'read') await this.#read(offsetAt(current.at), current.maxBytes)
    else if (current.kind === 'truncate') {
      assert.equal(await log.truncateTo(offsetAt(current.at)), 0)
      this.#modelEndsAt(log.logEndOffset, offsetAt(current.at))
    } else if (current.kind === 'deleteBefore') {
      assert.equal(log.deleteRecordsBefore(offsetAt(current.at)), 0)
      model.startOffset = offsetAt(current.at)
    } else if (current.kind === 'flush' || current.kind === 'checkpoint') {
      assert.equal(await (current.kind === 'flush' ? log.flush() : log.checkpoint()), 0)
      assert.equal(log.recoveryPoint, model.endOffset)
    } else if (current.kind === 'restart') await this.#restart(current)
    model.syncedTo = Math.min(model.endOffset, this.#log.recoveryPoint)
    assert.deepEqual([this.#log.logStartOffset, this.#log.logEndOffset], [model.startOffset, model.endOffset])
  }

  async check(): Promise<void> {
    for (let offset = this.model.startOffset; offset < this.model.endOffset; offset += 7) await this.#read(offset, 300)
  }

  async #append({ batches, compression }: Extract<Step, { kind: 'append' }>): Promise<void> {
    const { model } = this
    const encoded = batches.map((values) =>
      batchOf(
        values.map((value) => ({ value })),
        { compression: compression as 0 },
      ),
    )
    const offsets = await appendAll(this.#log, encoded)
    batches.forEach((values, index) => {
      assert.equal(offsets[index], model.endOffset)
      model.batchStarts.push(model.endOffset)
      for (const value of values) model.records.push({ offset: model.endOffset++, value })
    })
  }

  async #read(fromOffset: number, maxBytes: number): Promise<void> {
    const { model } = this
    const result = await this.#log.read({ fromOffset, maxBytes, upToOffset: model.endOffset, atLeastOneBatch: true })
    assert.equal(result.errorCode, 0)
    const found = decode(result.records)
    const expected = model.records.filter(({ offset }) => offset >= (found[0]?.offset ?? 0) && offset < result.nextOffset)
    assert.deepEqual(
      found.map(({ offset, value }) => ({ offset, value })),
      found.length === 0 ? [] : expected,
    )
    if (fromOffset < model.endOffset) assert.isAbove(result.nextOffset, fromOffset)
    assert.isAtMost(found[0]?.offset ?? fromOffset, fromOffset)
  }

  async #restart({ how, forgetsRecoveryPoint }: Extract<Step, { kind: 'restart' }>): Promise<void> {
    const { model } = this
    const recoveryPoint = forgetsRecoveryPoint ? null : this.#log.recoveryPoint
    if (how === 'clean') await this.#log.close()
    this.#env = this.#env.restartAfter(how === 'powerLoss' ? 'powerLoss' : 'kill')
    this.#log = await openLog(this.#env, {
      isClean: how === 'clean',
      recoveryPoint,
      logStartOffset: model.startOffset,
      limits: this.#limits,
    })
    this.#log.setHighWatermark(this.#log.logEndOffset)
    if (how !== 'powerLoss') return
    assert.isAtLeast(this.#log.logEndOffset, model.syncedTo)
    // A start that lies in what was lost can no longer be honoured.
    model.startOffset = Math.min(model.startOffset, this.#log.logEndOffset, this.#log.logStartOffset)
    this.#modelEndsAt(this.#log.logEndOffset, model.endOffset)
  }

  #modelEndsAt(endOffset: number, atMost: number): void {
    const { model } = this
    assert.isAtMost(endOffset, atMost)
    assert.include([model.startOffset, model.endOffset, ...model.batchStarts], endOffset)
    model.endOffset = endOffset
    model.records = model.records.filter(({ offset }) => offset < endOffset)
    model.batchStarts = model.batchStarts.filter((offset) => offset < endOffset)
    model.startOffset = Math.min(model.startOffset, endOffset)
  }
}

test('through appends, truncations, restarts and crashes, readers see exactly what was appended', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 40 }),
      fc.nat(),
      fc.constantFrom(0, 400, 1e6),
      async (steps, seed, tailCacheBytesMax) => {
        const limits = { tailCacheBytesMax }
        const { env, log } = await simulatedLog({ seed, config: smallConfig(), limits })
        const harness = new Harness(env, log, limits)
        for (const current of steps) await harness.take(current)
        await harness.check()
      },
    ),
    { numRuns: 150 },
  )
}, 30_000)
