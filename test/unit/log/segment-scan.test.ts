import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSimulatedEnv } from '../../../broker/env/simulated.ts'
import { scanBatches } from '../../../broker/log/segment-scan.ts'
import { patchBaseOffset } from '../../../broker/wire/record-batch.ts'
import { batchOf } from './support.ts'

async function fileWith(content: Buffer) {
  const env = createSimulatedEnv({ seed: 1 })
  const file = await env.disk.open('/segment', { create: true })
  await file.write(0, [content])
  return file
}

function batchesOfSizes(sizes: readonly number[]): Buffer[] {
  return sizes.map((size, index) => {
    const batch = batchOf([{ value: 'x'.repeat(size) }])
    patchBaseOffset(batch, 0, index)
    return batch
  })
}

async function scan(content: Buffer, chunkBytes: number) {
  const offsets: number[] = []
  const range = { fromPosition: 0, toPosition: content.length, minimumOffset: 0, maximumOffset: Infinity, checkCrc: true, chunkBytes }
  const result = await scanBatches(await fileWith(content), range, ({ header, buffer, bufferPosition }) => {
    expect(buffer.length - bufferPosition).toBeGreaterThanOrEqual(header.batchBytes)
    offsets.push(header.baseOffset)
  })
  return { offsets, ...result }
}

test('every batch is met once, whatever the sizes of batches and chunks', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(400), { maxLength: 20 }), fc.integer({ min: 61, max: 700 }), async (sizes, chunkBytes) => {
      const content = Buffer.concat(batchesOfSizes(sizes))
      const { offsets, endPosition, problem } = await scan(content, chunkBytes)
      expect(offsets).toEqual(sizes.map((_, index) => index))
      expect([endPosition, problem]).toEqual([content.length, null])
    }),
    { numRuns: 50 },
  )
})

test('the scan ends at the first byte that cannot be part of a batch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(300), { minLength: 1, maxLength: 8 }),
      fc.nat(),
      fc.integer({ min: 61, max: 500 }),
      async (sizes, damagedAt, chunkBytes) => {
        const batches = batchesOfSizes(sizes)
        const content = Buffer.concat(batches)
        const badByte = damagedAt % content.length
        content[badByte] = (content[badByte] ?? 0) ^ 0x40
        let goodBytes = 0
        for (const batch of batches) {
          if (goodBytes + batch.length > badByte) break
          goodBytes += batch.length
        }
        const { endPosition, problem } = await scan(content, chunkBytes)
        // Outside the checksum, by the format: the base offset and the leader epoch, which every broker patches.
        const at = badByte - goodBytes
        const isUnprotected = at < 8 || (at >= 12 && at < 16)
        if (isUnprotected) expect(endPosition).toBeGreaterThanOrEqual(goodBytes)
        else expect([endPosition, problem === null]).toEqual([goodBytes, false])
      },
    ),
    { numRuns: 100 },
  )
})
