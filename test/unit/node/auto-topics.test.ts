import { describe, expect, it } from 'vitest'
import { ControllerUnavailable } from '../../../broker/api/context.ts'
import type { Env } from '../../../broker/env/types.ts'
import { AutoTopics } from '../../../broker/node/auto-topics.ts'
import { ANONYMOUS } from '../../../broker/security/principal.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'
import { imageOf } from '../../support/images.ts'
import { manualTime } from '../../support/manual-time.ts'

interface Sent {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly configs: readonly { readonly name: string; readonly value: string }[]
}

function creator(options: { readonly answer?: ErrorCode | 'unavailable'; readonly replicationFactor?: number } = {}) {
  const time = manualTime()
  const sent: Sent[] = []
  const logged: string[] = []
  const env = {
    timers: time.timers,
    log: { write: (level: string, message: string) => void logged.push(`${level}: ${message}`) },
  } as unknown as Env
  const controller = {
    async send(_schema: unknown, _version: number, request: { topics: Sent[] }) {
      sent.push(...request.topics)
      if (options.answer === 'unavailable') throw new ControllerUnavailable('nobody')
      return { topics: [{ errorCode: options.answer ?? ErrorCode.NONE, errorMessage: null }] }
    },
  }
  const settings = {
    defaultPartitions: 4,
    defaultReplicationFactor: options.replicationFactor ?? 1,
    offsetsTopicPartitions: 50,
    offsetsTopicReplicationFactor: 3,
  }
  const topics = new AutoTopics({
    env,
    controller: controller as never,
    settings: settings as never,
    image: () => imageOf([{ id: 1 }, { id: 2 }, { id: 3, fenced: true }]),
  })
  return { topics, sent, logged, time, ask: (name: string) => topics.request(name, ANONYMOUS, 'client') }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('creating topics that are asked for', () => {
  it('asks the controller with the defaults, once while that is under way', async () => {
    const { ask, sent } = creator()
    expect([ask('new'), ask('new')]).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    await settled()
    expect(sent).toMatchObject([{ name: 'new', numPartitions: 4, replicationFactor: 1, configs: [] }])
  })

  it('creates __consumer_offsets compacted, with all its replicas although a broker is down', async () => {
    const { ask, sent } = creator()
    expect(ask('__consumer_offsets')).toBe(ErrorCode.LEADER_NOT_AVAILABLE)
    await settled()
    expect(sent).toMatchObject([
      { numPartitions: 50, replicationFactor: 3, configs: [{ name: 'cleanup.policy', value: 'compact' }, {}, {}] },
    ])
  })

  it('refuses what the registered brokers cannot hold', () => {
    const { ask, sent } = creator({ replicationFactor: 4 })
    expect(ask('new')).toBe(ErrorCode.INVALID_REPLICATION_FACTOR)
    expect(sent).toEqual([])
  })

  it.each(['unavailable', ErrorCode.POLICY_VIOLATION] as const)(
    'says why it failed (%s), and waits before it asks again',
    async (answer) => {
      const { ask, sent, logged, time } = creator({ answer })
      ask('new')
      await settled()
      ask('new')
      await settled()
      expect(sent).toHaveLength(1)
      expect(logged).toEqual(['warn: a topic that was asked for is not created'])
      time.advance(1000)
      ask('new')
      await settled()
      expect(sent).toHaveLength(2)
    },
  )

  it('takes it that another was faster', async () => {
    const { ask, logged } = creator({ answer: ErrorCode.TOPIC_ALREADY_EXISTS })
    ask('new')
    await settled()
    expect(logged).toEqual(['info: created a topic that was asked for'])
  })
})
