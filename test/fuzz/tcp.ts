/**
 * Fires hostile connections at a listener over real TCP, and sees that the broker behind it still answers:
 *
 *   node test/fuzz/tcp.ts --port 9092 --frames 20000 --seed 7 [--host 127.0.0.1] [--pid 1234] [--concurrency 64]
 *
 * Spoiled requests, sizes that lie, frames cut short, bytes one by one, other protocols, garbage, peers that never read.
 * With the broker's pid its memory is watched too. Some requests get through unspoiled: use a cluster made for it.
 */
import { readFile } from 'node:fs/promises'
import * as net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { apiVersions } from '../../broker/api/18-api-versions.schema.ts'
import { createRealEnv } from '../../broker/env/real.ts'
import type { Address } from '../../broker/env/types.ts'
import { openRequestChannel } from '../../broker/net/request-channel.ts'
import { frameClaiming, framed } from '../support/frames.ts'
import { buildCorpus } from './corpus.ts'
import type { Corpus } from './corpus.ts'
import { spoil } from './mutations.ts'
import { randomAt } from './random.ts'
import type { SeededRandom } from './random.ts'

const MIB = 1024 * 1024
/** Growth of the broker beyond which its memory is not bounded. */
const RSS_GROWTH_MAX = 1024 * MIB
/** A connection is given up this long after the last byte either way... */
const LINGER_MS = 120
/** ...or, for a busy broker to come to it, when this long after the last byte sent there is still no answer. */
const UNANSWERED_MS = 1_000
const ANSWER_WITHIN_MS = 10_000
const PROBE_EVERY = 1_000
/** How many in a row the broker may refuse before it counts as gone. */
const REFUSALS_MAX = 200

export interface TcpFuzzOptions {
  readonly at: Address
  readonly frames: number
  readonly seed: number
  readonly concurrency?: number
  readonly pid?: number
}

export interface TcpFuzzReport {
  readonly frames: number
  readonly sentBytes: number
  /** How many connections the broker ended itself. */
  readonly closedByBroker: number
  /** How many got bytes back. */
  readonly answered: number
  readonly slowestProbeMs: number
  /** `null` without a pid, or where the platform does not tell. */
  readonly rss: { readonly beforeBytes: number; readonly peakBytes: number; readonly afterBytes: number } | null
  readonly elapsedMs: number
}

/** Thrown when the broker no longer answers, or holds too much; the message says how to replay. */
export class TcpFuzzFailure extends Error {
  override readonly name = 'TcpFuzzFailure'
}

interface Tally {
  sentBytes: number
  closedByBroker: number
  answered: number
  refusals: number
}

/** Resolves with what happened. Rejects with a `TcpFuzzFailure`. */
export async function fuzzTcp(options: TcpFuzzOptions): Promise<TcpFuzzReport> {
  const { frames, seed, concurrency = 64, at, pid } = options
  const corpus = buildCorpus(seed)
  const startMs = performance.now()
  const beforeBytes = await rssOf(pid)
  let peakBytes = beforeBytes ?? 0
  let slowestProbeMs = await probe(at, 'before the first frame')
  const tally: Tally = { sentBytes: 0, closedByBroker: 0, answered: 0, refusals: 0 }
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < frames) {
      const index = next++
      await attack(at, attackAt(corpus, seed, index), tally)
      if (tally.refusals > REFUSALS_MAX)
        throw new TcpFuzzFailure(`the broker refuses connections since about frame ${index} (seed ${seed})`)
      if (index % PROBE_EVERY !== 0) continue
      slowestProbeMs = Math.max(slowestProbeMs, await probe(at, `after frame ${index} (seed ${seed})`))
      peakBytes = Math.max(peakBytes, (await rssOf(pid)) ?? 0)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  slowestProbeMs = Math.max(slowestProbeMs, await probe(at, `at the end (seed ${seed})`))
  const afterBytes = await rssOf(pid)
  peakBytes = Math.max(peakBytes, afterBytes ?? 0)
  if (beforeBytes !== null && peakBytes - beforeBytes > RSS_GROWTH_MAX) {
    throw new TcpFuzzFailure(`the broker grew by ${Math.round((peakBytes - beforeBytes) / MIB)} MiB (seed ${seed})`)
  }
  return {
    frames,
    sentBytes: tally.sentBytes,
    closedByBroker: tally.closedByBroker,
    answered: tally.answered,
    slowestProbeMs,
    rss: beforeBytes === null || afterBytes === null ? null : { beforeBytes, peakBytes, afterBytes },
    elapsedMs: performance.now() - startMs,
  }
}

// --------------------------------------------------------------------------------------------------------------- attacks

interface Attack {
  readonly pieces: readonly Buffer[]
  /** Between two pieces; 0 sends them at once. */
  readonly pauseMs: number
  /** Takes none of the answers. */
  readonly isDeaf: boolean
}

type AttackMaker = (random: SeededRandom, corpus: Corpus) => Attack

const atOnce = (...pieces: Buffer[]): Attack => ({ pieces, pauseMs: 0, isDeaf: false })
const anyRequest = (random: SeededRandom, corpus: Corpus): Buffer => random.pick(corpus.requests).bytes

const spoiledRequest: AttackMaker = (random, corpus) =>
  atOnce(framed(spoil(random, anyRequest(random, corpus), anyRequest(random, corpus))))

const lyingSize: AttackMaker = (random, corpus) => {
  const claimedBytes = random.pick([-1, -2147483648, 2147483647, 0, 1, 3, 7, 104857600, 104857601, random.next() | 0])
  return atOnce(frameClaiming(claimedBytes, anyRequest(random, corpus)))
}

const cutShort: AttackMaker = (random, corpus) => {
  const frame = framed(anyRequest(random, corpus))
  return atOnce(frame.subarray(0, random.below(frame.length)))
}

const byteByByte: AttackMaker = (random, corpus) => {
  const frame = framed(spoil(random, anyRequest(random, corpus), anyRequest(random, corpus)))
  const pieces: Buffer[] = []
  for (let at = 0; at < Math.min(frame.length, 24); at += 1 + random.below(3)) pieces.push(frame.subarray(at, at + 1 + random.below(3)))
  return { pieces, pauseMs: 1, isDeaf: false }
}

const pipelined: AttackMaker = (random, corpus) =>
  atOnce(
    Buffer.concat(
      Array.from({ length: 2 + random.below(30) }, () => {
        const request = anyRequest(random, corpus)
        return framed(random.below(3) === 0 ? spoil(random, request, anyRequest(random, corpus)) : request)
      }),
    ),
  )

const garbage: AttackMaker = (random) => atOnce(random.bytes(1 + random.below(4096)))

const otherProtocol: AttackMaker = (random) =>
  atOnce(
    random.pick([
      Buffer.from('GET / HTTP/1.1\r\nHost: broker\r\n\r\n'),
      Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
      Buffer.from('*1\r\n$4\r\nPING\r\n'),
      Buffer.concat([Buffer.from('160301020001000001fc0303', 'hex'), random.bytes(500)]),
    ]),
  )

const largeFrame: AttackMaker = (random) => atOnce(frameClaiming(2 * MIB, random.bytes(64)), Buffer.alloc(random.below(MIB)))

const deaf: AttackMaker = (random, corpus) => ({ ...pipelined(random, corpus), isDeaf: true })

const makers: readonly AttackMaker[] = [
  spoiledRequest,
  spoiledRequest,
  spoiledRequest,
  spoiledRequest,
  lyingSize,
  cutShort,
  byteByByte,
  pipelined,
  garbage,
  otherProtocol,
  largeFrame,
  deaf,
]

function attackAt(corpus: Corpus, seed: number, index: number): Attack {
  const random = randomAt(seed, index)
  return random.pick(makers)(random, corpus)
}

function attack(at: Address, { pieces, pauseMs, isDeaf }: Attack, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    let isOurs = false
    let answeredAtMs: number | null = null
    const socket = net.connect({ host: at.host, port: at.port, noDelay: true })
    const leave = (): void => {
      isOurs = true
      socket.destroy()
    }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') tally.refusals++
    })
    socket.on('close', () => {
      if (!isOurs) tally.closedByBroker++
      if (answeredAtMs !== null) tally.answered++
      resolve()
    })
    socket.on('connect', async () => {
      tally.refusals = 0
      if (isDeaf) socket.pause()
      else {
        socket.on('data', () => {
          answeredAtMs = performance.now()
        })
      }
      for (const piece of pieces) {
        if (socket.destroyed) return
        tally.sentBytes += piece.length
        socket.write(piece)
        if (pauseMs > 0) await pause(pauseMs)
      }
      const sentAtMs = performance.now()
      const isOver = (): boolean =>
        performance.now() > (answeredAtMs === null && !isDeaf ? sentAtMs + UNANSWERED_MS : (answeredAtMs ?? sentAtMs) + LINGER_MS)
      while (!socket.destroyed && !isOver()) await pause(LINGER_MS / 4)
      leave()
    })
  })
}

// ---------------------------------------------------------------------------------------------------------------- probes

/** Milliseconds until a well-behaved client was answered. */
async function probe(at: Address, when: string): Promise<number> {
  const env = createRealEnv({ log: { write: () => undefined } })
  const startMs = performance.now()
  try {
    const channel = await openRequestChannel(env, { address: at, clientId: 'fuzz-probe', connectTimeoutMs: ANSWER_WITHIN_MS })
    const body = { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1' }
    await channel.request(apiVersions, 3, body, { timeoutMs: ANSWER_WITHIN_MS })
    channel.close('answered')
  } catch (error) {
    throw new TcpFuzzFailure(`${at.host}:${at.port} did not answer ApiVersions ${when}: ${(error as Error).message}`, { cause: error })
  }
  return performance.now() - startMs
}

async function rssOf(pid: number | undefined): Promise<number | null> {
  if (pid === undefined) return null
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1024
}

// ------------------------------------------------------------------------------------------------------------ command line

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      frames: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      pid: { type: 'string' },
      concurrency: { type: 'string', default: '64' },
    },
  })
  if (values.port === undefined) throw new TcpFuzzFailure('--port is missing')
  const report = await fuzzTcp({
    at: { host: values.host, port: Number(values.port) },
    frames: Number(values.frames),
    seed: Number(values.seed),
    concurrency: Number(values.concurrency),
    ...(values.pid !== undefined && { pid: Number(values.pid) }),
  })
  console.log(JSON.stringify(report, null, 2))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error instanceof TcpFuzzFailure ? error.message : error)
      process.exit(1)
    },
  )
}
