/**
 * Feeds malformed, truncated, mutated and hostile input to everything that decodes what arrives from a socket or a disk:
 *
 *   node test/fuzz/decoder.ts --frames 1000000 --seed 7
 *   node test/fuzz/decoder.ts --seed 7 --only 123456      one frame again, after a failure
 *
 * Whatever is fed, a decoder yields a value or throws WireError, at once, and allocates no more than the input justifies.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { isFlexible, isValidVersion, schemas } from '../../broker/api/schemas.ts'
import { metadataRecords } from '../../broker/api/metadata-records.schema.ts'
import { decodeMessage, decodePrefixed } from '../../broker/wire/codec.ts'
import { decompress } from '../../broker/wire/compression.ts'
import { WireError } from '../../broker/wire/errors.ts'
import { decodeFramedRecord } from '../../broker/wire/framed-record.ts'
import { decodeRequestHeader, decodeResponseHeader } from '../../broker/wire/headers.ts'
import { batchCrcIsValid, batchesIn, recordsIn, validateRecords } from '../../broker/wire/record-batch.ts'
import { buildCorpus, type Corpus, type Input } from './corpus.ts'
import { mendBatch, spoil } from './mutations.ts'
import { randomAt, type SeededRandom } from './random.ts'

const MIB = 1024 * 1024
/** What records of one batch may unpack to here. */
const UNPACKED_BYTES_MAX = 4 * MIB
/** Growth of the process beyond which memory is not bounded by the input: inputs here are a few KiB each. */
const RSS_GROWTH_MAX = 512 * MIB
/** No frame of a few KiB may keep a decoder busy longer; generous, for a machine that does other things too. */
const FRAME_MS_MAX = 2_000
/** Turns of the event loop, as a broker has them: what native codecs allocated is given back only between two turns. */
const FRAMES_PER_TURN = 512

export interface FuzzReport {
  readonly frames: number
  readonly seed: number
  readonly decoded: number
  /** How often each WireError code was thrown. */
  readonly refused: Readonly<Record<string, number>>
  readonly slowestMs: number
  readonly heapPeakBytes: number
  readonly rssPeakBytes: number
  readonly rssGrowthBytes: number
  readonly elapsedMs: number
}

/** Thrown when a decoder broke its promise; the message says how to replay it. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure'
}

export async function fuzzDecoder(options: {
  readonly frames: number
  readonly seed: number
  readonly only?: number
}): Promise<FuzzReport> {
  const { frames, seed, only } = options
  const corpus = buildCorpus(seed)
  const first = only ?? 0
  const last = only === undefined ? frames : only + 1
  const refused: Record<string, number> = {}
  let decoded = 0
  let slowestMs = 0
  let heapPeakBytes = 0
  const rssStartBytes = process.memoryUsage.rss()
  let rssPeakBytes = rssStartBytes
  const startMs = performance.now()

  for (let index = first; index < last; index++) {
    const input = inputAt(corpus, seed, index)
    const frameStartMs = performance.now()
    const outcome = feed(input, seed, index)
    if (outcome === null) decoded++
    else refused[outcome] = (refused[outcome] ?? 0) + 1
    const frameMs = performance.now() - frameStartMs
    slowestMs = Math.max(slowestMs, frameMs)
    if (frameMs > FRAME_MS_MAX) throw failure(input, seed, index, `took ${Math.round(frameMs)} ms`)
    if (index % FRAMES_PER_TURN === 0) {
      heapPeakBytes = Math.max(heapPeakBytes, process.memoryUsage().heapUsed)
      rssPeakBytes = Math.max(rssPeakBytes, process.memoryUsage.rss())
      const grown = rssPeakBytes - rssStartBytes
      if (grown > RSS_GROWTH_MAX) throw failure(input, seed, index, `memory has grown by ${Math.round(grown / MIB)} MiB by now`)
      await nextTurn()
    }
  }
  const rssGrowthBytes = rssPeakBytes - rssStartBytes
  return {
    frames: last - first,
    seed,
    decoded,
    refused,
    slowestMs,
    heapPeakBytes,
    rssPeakBytes,
    rssGrowthBytes,
    elapsedMs: performance.now() - startMs,
  }
}

/** The input at `index`: a mutation of something valid, or random bytes behind a header that looks right. */
function inputAt(corpus: Corpus, seed: number, index: number): Input {
  const random = randomAt(seed, index)
  const draw = random.below(100)
  if (draw < 15) return { kind: 'request', bytes: randomRequest(random) }
  if (draw < 65) return spoiled(random, corpus.requests)
  if (draw < 78) return spoiled(random, corpus.responses)
  if (draw < 86) return spoiled(random, corpus.payloads)
  const batch = spoiled(random, corpus.batches)
  return random.below(3) > 0 ? { ...batch, bytes: mendBatch(batch.bytes) } : batch
}

function spoiled(random: SeededRandom, inputs: readonly Input[]): Input {
  const input = random.pick(inputs)
  return { ...input, bytes: spoil(random, input.bytes, random.pick(inputs).bytes) }
}

function randomRequest(random: SeededRandom): Buffer {
  const header = Buffer.from([0, random.below(95), 0, random.below(20), 0, 0, 0, 1, 0, 0, 0])
  return Buffer.concat([header.subarray(0, random.below(8) === 0 ? random.below(12) : 11), random.bytes(random.below(300))])
}

/** The code of the WireError that ended it, or null when it was decoded to the end. Any other error is a failure. */
function feed(input: Input, seed: number, index: number): string | null {
  try {
    decodeInput(input)
    return null
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw failure(input, seed, index, error instanceof Error ? `${error.name}: ${error.message}` : String(error), error)
  }
}

function decodeInput(input: Input): void {
  const { bytes } = input
  switch (input.kind) {
    case 'request':
      return decodeRequest(bytes)
    case 'response': {
      const { bodyPosition } = decodeResponseHeader(bytes, input.api, input.version)
      decodeMessage(input.api.response, input.version, bytes, bodyPosition)
      return
    }
    case 'payload':
      return decodePayload(input.message, input.version, bytes)
    case 'batch':
      return decodeBatches(bytes)
  }
}

function decodeRequest(frame: Buffer): void {
  const header = decodeRequestHeader(frame, isFlexible)
  const api = schemas.get(header.apiKey)
  if (api === undefined || !isValidVersion(header.apiKey, header.apiVersion)) {
    throw new WireError('UNSUPPORTED_VERSION', `API ${header.apiKey} v${header.apiVersion}`)
  }
  decodeMessage(api.request, header.apiVersion, frame, header.bodyPosition)
}

/** The payload itself, and its bytes again through the readers of prefixed and framed payloads. */
function decodePayload(message: Parameters<typeof decodeMessage>[0], version: number, bytes: Buffer): void {
  const attempts = [
    () => decodePrefixed(message, bytes, { newer: 'as-newest' }),
    () => decodeFramedRecord(metadataRecords, bytes),
    () => decodeFramedRecord(metadataRecords, Buffer.concat([Buffer.from([1]), bytes])),
  ]
  for (const attempt of attempts) {
    try {
      attempt()
    } catch (error) {
      if (!(error instanceof WireError)) throw error
    }
  }
  decodeMessage(message, version, bytes)
}

function decodeBatches(bytes: Buffer): void {
  for (const { header, position } of batchesIn(bytes)) {
    batchCrcIsValid(bytes, position, header)
    validateRecords(bytes, position, header, UNPACKED_BYTES_MAX)
    for (const { key, value } of recordsIn(bytes, position, header, UNPACKED_BYTES_MAX)) {
      if ((key?.length ?? 0) + (value?.length ?? 0) > UNPACKED_BYTES_MAX) throw new Error('a record larger than the bound')
    }
  }
  // What is left may still be fed to each codec by itself.
  decompress(bytes.length % 5, bytes.subarray(Math.min(61, bytes.length)), UNPACKED_BYTES_MAX)
}

function failure({ kind, bytes }: Input, seed: number, index: number, what: string, cause?: unknown): FuzzFailure {
  const replay = `node test/fuzz/decoder.ts --seed ${seed} --only ${index}`
  return new FuzzFailure(`${kind} ${index}: ${what}\n  replay: ${replay}\n  bytes: ${bytes.subarray(0, 1024).toString('hex')}`, { cause })
}

export function summaryOf(report: FuzzReport): string {
  const reasons = Object.entries(report.refused).sort(([, left], [, right]) => right - left)
  const refused = reasons.reduce((total, [, count]) => total + count, 0)
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`
  return (
    `decoder fuzz: ${report.frames} frames, seed ${report.seed}: ${report.decoded} decoded, ${refused} refused ` +
    `(${reasons.map(([code, count]) => `${code} ${count}`).join(', ')}); slowest ${report.slowestMs.toFixed(1)} ms, ` +
    `heap ${mib(report.heapPeakBytes)}, RSS ${mib(report.rssPeakBytes)} (+${mib(report.rssGrowthBytes)}), ${(report.elapsedMs / 1000).toFixed(1)} s`
  )
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { frames: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' }, only: { type: 'string' } },
  })
  const report = await fuzzDecoder({
    frames: Number(values.frames),
    seed: Number(values.seed),
    ...(values.only === undefined ? {} : { only: Number(values.only) }),
  })
  console.log(summaryOf(report))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
