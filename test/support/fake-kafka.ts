/**
 * A Kafka cluster in memory behind the client's interface, for tests of what stands on the client. Topics hold real record
 * batches. `isDown` makes every call fail as an unreachable cluster does.
 */
import { ClientError } from '../../broker/client/error.ts'
import type { Admin, KafkaClient } from '../../broker/client/types.ts'
import { consumerOf, producerOf } from './fake-kafka/clients.ts'
import { groupsAdmin } from './fake-kafka/groups.ts'
import { fetchOne } from './fake-kafka/log.ts'
import { FakeKafkaState } from './fake-kafka/state.ts'
import { describeTopic, topicsAdmin } from './fake-kafka/topics.ts'

export type { FakeRecord } from './fake-kafka/state.ts'

export class FakeKafka extends FakeKafkaState {
  createClient = (): KafkaClient => clientOf(this)
}

function clientOf(kafka: FakeKafkaState): KafkaClient {
  const partial: Partial<KafkaClient> = {
    clientId: 'fake',
    admin: { ...topicsAdmin(kafka), ...groupsAdmin(kafka) } as Admin,
    async metadata(options = {}) {
      kafka.call('metadata')
      const names = options.topics === 'all' ? [...kafka.topics.keys()] : (options.topics ?? [])
      return {
        clusterId: 'fake-cluster-id',
        controllerId: 1,
        brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: '127.0.0.1', port: 9091 + nodeId, rack: null })),
        topics: new Map(names.map((name) => [name, describeTopic(kafka, name)])),
        fetchedMs: Date.now(),
      }
    },
    async request() {
      kafka.call('request')
      throw new ClientError('UNSUPPORTED_VERSION', 'The fake has no such API.')
    },
    async fetchBatches({ partitions, maxBytes, maxWaitMs = 0 }) {
      kafka.call('fetchBatches')
      const read = () => partitions.map((wished) => fetchOne(kafka, wished, maxBytes))
      const answers = read()
      if (maxWaitMs === 0 || answers.some(({ records, error }) => records.length > 0 || error !== null)) return answers
      await kafka.news(maxWaitMs)
      return read()
    },
    producer: () => producerOf(kafka),
    consumer: ({ topics }) => consumerOf(kafka, topics),
    connections: () => [],
    close: async () => undefined,
  }
  return partial as KafkaClient
}
