/** Sending by hand: each call has a producer of its own, on the connections of the cluster's client. */
import type { Producer, ProducerRecord } from '../../client/types.ts'
import type { Landed, PayloadInput, RecordInput, RepeatProgress } from '../../contract/produce.ts'
import type { Problem } from '../../contract/errors.ts'
import type { Env } from '../../env/types.ts'
import type { ClusterSession } from '../clusters/session.ts'
import { plural } from '../plural.ts'
import { HostError, toHostError, toProblem } from '../problem.ts'
import { implementer } from '../rpc/implementer.ts'
import { pause } from '../rpc/waiting.ts'
import type { HostServices } from '../services.ts'

const sendDeadlineMs = 20_000
/** Brokers decide what is too large (`max.message.bytes`); this only bounds memory. */
const recordBytesMax = 64 * 1024 * 1024
const repeatInflight = 200
const progressIntervalMs = 100

type Input = Required<RecordInput>

export function produceRouter(services: HostServices) {
  const { clusters, streams, journal, env } = services
  return {
    send: implementer.produce.send.handler(async ({ input, signal }) => {
      const session = clusters.get(input.clusterId)
      session.demandWritable('Sending a record')
      const producer = producerFor(session, input)
      try {
        const landed = await sendOne(env, producer, input as Input, 0, signal)
        const where = `${input.topic}-${landed.partition}${landed.offset === null ? '' : ` at offset ${landed.offset}`}`
        const activityId = journal.change({
          clusterId: session.id,
          action: 'record.send',
          subject: input.topic,
          summary: `Sent a ${input.value === null ? 'tombstone' : 'record'} to ${where}.`,
          after: { partition: landed.partition, offset: landed.offset },
        })
        return { ...landed, activityId }
      } finally {
        closeQuietly(env, producer)
      }
    }),
    repeat: implementer.produce.repeat.handler(({ input, signal }) => {
      const session = clusters.get(input.record.clusterId)
      session.demandWritable('Sending records')
      return streams.batches((ending) => repeat(services, session, input as RepeatInput, ending), signal)
    }),
  }
}

interface RepeatInput {
  readonly record: Input
  readonly count: number
  readonly intervalMs: number
}

async function* repeat(
  services: HostServices,
  session: ClusterSession,
  input: RepeatInput,
  signal: AbortSignal,
): AsyncGenerator<RepeatProgress, void, void> {
  const { env, journal } = services
  const producer = producerFor(session, input.record)
  const startMs = env.clock.monotonicMs()
  const state = { sent: 0, failed: 0, last: null as Landed | null, lastProblem: null as Problem | null, isDone: false }
  const sending = sendAll(env, producer, input, signal, (landed, problem) => {
    if (landed !== null) {
      state.sent += 1
      state.last = landed
    } else {
      state.failed += 1
      state.lastProblem = problem
    }
  }).finally(() => {
    state.isDone = true
  })
  const progress = (): RepeatProgress => {
    const seconds = Math.max(0.001, (env.clock.monotonicMs() - startMs) / 1_000)
    return { ...state, total: input.count, recordsPerSecond: Math.round((state.sent / seconds) * 10) / 10 }
  }
  try {
    while (!signal.aborted && !state.isDone) {
      yield progress()
      await Promise.race([sending, pause(env, progressIntervalMs, signal)])
    }
    await sending
    if (!signal.aborted) yield progress()
  } finally {
    await sending
    journal.change({
      clusterId: session.id,
      action: 'record.send',
      subject: input.record.topic,
      summary: `Sent ${state.sent} of ${plural(input.count, 'record')} to ${input.record.topic}${state.failed === 0 ? '' : `; ${state.failed} failed`}.`,
    })
    closeQuietly(env, producer)
  }
}

/** At most `repeatInflight` records unacknowledged; with an interval, one after the other. */
async function sendAll(
  env: Env,
  producer: Producer,
  { record, count, intervalMs }: RepeatInput,
  signal: AbortSignal,
  onResult: (landed: Landed | null, problem: Problem | null) => void,
): Promise<void> {
  const inflight = new Set<Promise<void>>()
  for (let index = 0; index < count && !signal.aborted; index += 1) {
    const sending = sendOne(env, producer, record, index, signal)
      .then(
        (landed) => onResult(landed, null),
        (error: unknown) => {
          if (!signal.aborted) onResult(null, toProblem(error, record.topic))
        },
      )
      .finally(() => inflight.delete(sending))
    inflight.add(sending)
    if (intervalMs > 0) await Promise.all([sending, pause(env, intervalMs, signal)])
    else if (inflight.size >= repeatInflight) await Promise.race(inflight)
  }
  await Promise.all(inflight)
}

async function sendOne(env: Env, producer: Producer, input: Input, index: number, signal: AbortSignal | undefined): Promise<Landed> {
  const record = recordOf(env, input, index)
  const startMs = env.clock.monotonicMs()
  try {
    const landed = await producer.send(record, { timeoutMs: sendDeadlineMs, signal })
    return {
      topic: landed.topic,
      partition: landed.partition,
      offset: landed.offset < 0 ? null : landed.offset,
      timestampMs: landed.timestampMs,
      timestampType: landed.timestampMs === record.timestampMs ? 'create' : 'append',
      elapsedMs: Math.round((env.clock.monotonicMs() - startMs) * 10) / 10,
      activityId: null,
    }
  } catch (error) {
    throw toHostError(error, input.topic)
  }
}

function producerFor(session: ClusterSession, { acks, compression }: Pick<RecordInput, 'acks' | 'compression'>): Producer {
  const wished = acks === 'none' ? 0 : acks === 'leader' ? 1 : 'all'
  return session.client.producer({ acks: wished, idempotent: false, compression, recordBytesMax, deliveryTimeoutMs: sendDeadlineMs })
}

function closeQuietly(env: Env, producer: Producer): void {
  producer.close({ timeoutMs: 1_000 }).catch((error: unknown) => env.log.write('debug', 'a producer did not close', { error }))
}

function recordOf(env: Env, input: Input, index: number): ProducerRecord & { readonly timestampMs: number } {
  const nowMs = env.clock.nowMs()
  const bytes = (payload: PayloadInput | null, field: string): Buffer | null =>
    payload === null ? null : bytesOf(payload, field, input.useTemplates ? (text) => filled(env, text, index, nowMs) : (text) => text)
  return {
    topic: input.topic,
    ...(input.partition === null ? {} : { partition: input.partition }),
    key: bytes(input.key, 'key'),
    value: bytes(input.value, 'value'),
    headers: input.headers.map(({ key, value }) => ({ key, value: bytes(value, `header ${key}`) })),
    timestampMs: input.timestampMs ?? nowMs,
  }
}

function bytesOf({ encoding, text }: PayloadInput, field: string, fill: (text: string) => string): Buffer {
  if (encoding === 'hex') {
    const digits = text.replaceAll(/\s+/g, '')
    if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
      throw new HostError('RECORD_INVALID', `The ${field} is not hexadecimal.`, {
        subject: field,
        advice: 'Write pairs of the digits 0-9 and a-f.',
      })
    }
    return Buffer.from(digits, 'hex')
  }
  if (encoding === 'base64') {
    if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text.trim()))
      throw new HostError('RECORD_INVALID', `The ${field} is not base64.`, { subject: field })
    return Buffer.from(text.trim(), 'base64')
  }
  return Buffer.from(fill(text), 'utf8')
}

function filled(env: Env, text: string, index: number, nowMs: number): string {
  return text.replaceAll(/\{\{(index|timestamp|uuid)\}\}/g, (_, name: string) =>
    name === 'index' ? String(index) : name === 'timestamp' ? String(nowMs) : env.random.uuid(),
  )
}
