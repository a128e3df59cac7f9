/**
 * Streams of numbered records, each written by one client to one partition with acks=all and idempotence, and what was
 * acknowledged of them. Order within a stream is the order of its numbers.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import kafkajs from 'kafkajs'

export interface Stream {
  readonly name: string
  readonly topic: string
  readonly partition: number
  /** Numbers 0 .. acknowledged - 1 are, except those in `failed`. */
  acknowledged: number
  /** Given up by the client: they may be there or not. */
  readonly failed: Set<number>
  lastAcknowledgedMs: number
  /** Writes no more; resolves when everything sent is answered. */
  end(): Promise<void>
}

export interface StreamOptions {
  readonly brokers: string
  readonly topic: string
  readonly partition: number
  readonly onAcknowledged: (stream: Stream) => void
}

/** A client that waits for a paused broker for as long as it likes would measure its own patience. */
export const REQUEST_TIMEOUT_MS = 4_000
const LINES_IN_FLIGHT_MAX = 2_000
const PAUSE_MS = 5
const kcatSettings = {
  'enable.idempotence': 'true',
  'linger.ms': '2',
  'message.timeout.ms': '120000',
  'socket.timeout.ms': String(REQUEST_TIMEOUT_MS),
  'request.timeout.ms': String(REQUEST_TIMEOUT_MS),
  'reconnect.backoff.max.ms': '200',
}
const BATCH_RECORDS = 20

const { Kafka, logLevel } = kafkajs

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * kcat (librdkafka) says on stderr, when asked to be verbose, what was delivered, in order. It ends by itself when none of
 * its connections happens to be up; another one goes on then, and what was under way may be there or not.
 */
export function kcatStream({ brokers, topic, partition, onAcknowledged }: StreamOptions): Stream {
  let isEnding = false
  let sent = 0
  const stream: Stream = {
    name: 'kcat',
    topic,
    partition,
    acknowledged: 0,
    failed: new Set(),
    lastAcknowledgedMs: performance.now(),
    async end() {
      isEnding = true
      await writing
    },
  }
  const nextLines = (): string => {
    // kcat hears of deliveries only when it takes a line, so that it must never go without.
    const lineCount = sent - stream.acknowledged < LINES_IN_FLIGHT_MAX ? BATCH_RECORDS : 1
    return Array.from({ length: lineCount }, () => `${sent++}\n`).join('')
  }
  const onLine = (line: string): void => {
    if (line.includes('Message delivered')) {
      stream.acknowledged++
      onAcknowledged(stream)
    } else if (line.includes('Delivery failed')) {
      stream.failed.add(stream.acknowledged++)
    }
  }
  const writing = (async () => {
    while (!isEnding) {
      await runKcat({ brokers, topic, partition, nextLines, onLine, isEnding: () => isEnding })
      while (stream.acknowledged < sent) stream.failed.add(stream.acknowledged++)
    }
  })()
  return stream
}

interface KcatRun extends Pick<StreamOptions, 'brokers' | 'topic' | 'partition'> {
  readonly nextLines: () => string
  readonly onLine: (line: string) => void
  readonly isEnding: () => boolean
}

/** Resolves when kcat has ended, by itself or because it was told to. */
async function runKcat({ brokers, topic, partition, nextLines, onLine, isEnding }: KcatRun): Promise<void> {
  const options = Object.entries(kcatSettings).flatMap(([name, value]) => ['-X', `${name}=${value}`])
  const child = spawn('kcat', ['-P', '-vvv', '-b', brokers, '-t', topic, '-p', String(partition), ...options], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let hasEnded = false
  const closed = once(child, 'close').then(() => (hasEnded = true))
  // That it ended is seen from its exit.
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stderr }).on('line', onLine)
  while (!isEnding() && !hasEnded) {
    if (!child.stdin.write(nextLines())) await Promise.race([once(child.stdin, 'drain').catch(() => undefined), closed])
    await pause(PAUSE_MS)
  }
  child.stdin.end()
  await closed
}

export async function kafkaJsStream({ brokers, topic, partition, onAcknowledged }: StreamOptions): Promise<Stream> {
  const kafka = torturedKafkaJs(brokers)
  let producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  let isEnding = false
  const stream: Stream = {
    name: 'kafkajs',
    topic,
    partition,
    acknowledged: 0,
    failed: new Set(),
    lastAcknowledgedMs: performance.now(),
    async end() {
      isEnding = true
      await writing
      await producer.disconnect()
    },
  }
  const writing = (async () => {
    while (!isEnding) {
      const from = stream.acknowledged
      const messages = Array.from({ length: BATCH_RECORDS }, (_, index) => ({ value: String(from + index), partition }))
      try {
        await producer.send({ topic, acks: -1, timeout: REQUEST_TIMEOUT_MS, messages })
        stream.acknowledged += BATCH_RECORDS
        onAcknowledged(stream)
      } catch {
        for (let index = 0; index < BATCH_RECORDS; index++) stream.failed.add(stream.acknowledged++)
        // Its numbering of this partition is in doubt: another producer begins anew.
        await producer.disconnect().catch(() => undefined)
        producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
        await producer.connect()
      }
      await pause(PAUSE_MS)
    }
  })()
  return stream
}

export function torturedKafkaJs(brokers: string) {
  return new Kafka({
    clientId: 'torture',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 1_000,
    retry: { retries: 60, initialRetryTime: 20, maxRetryTime: 500 },
  })
}
