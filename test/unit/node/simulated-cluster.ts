/** A whole cluster, controllers and brokers as they are, in a simulated world, and a client beside it. */
import { createClient } from '../../../broker/client/client.ts'
import type { KafkaClient } from '../../../broker/client/types.ts'
import type { NodeConfig } from '../../../broker/node/config.ts'
import { createBroker } from '../../../broker/node/broker.ts'
import type { RunningNode } from '../../../broker/node/running-node.ts'
import { SimulatedQuorumCluster } from './simulated-quorum-cluster.ts'

const FIRST_CLIENT_PORT = 9092

export class SimulatedCluster extends SimulatedQuorumCluster {
  readonly brokers = new Map<number, RunningNode>()
  readonly #clients: KafkaClient[] = []

  get bootstrapServers(): string {
    return [1, 2, 3].map((id) => `127.0.0.1:${FIRST_CLIENT_PORT + id}`).join(',')
  }

  override config(role: NodeConfig['role'], nodeId: number): NodeConfig {
    const config = super.config(role, nodeId)
    if (role === 'controller') return config
    const listeners = [
      { name: 'CLIENT', host: '127.0.0.1', port: FIRST_CLIENT_PORT + nodeId },
      { name: 'INTERNAL', host: '127.0.0.1', port: 20_000 + nodeId },
    ]
    return { ...config, listeners, configOverrides: { ...config.configOverrides, 'group.initial.rebalance.delay.ms': '0' } }
  }

  /** Listening; `ready` tells the rest. */
  async openBroker(id: number): Promise<RunningNode> {
    const broker = await this.run(createBroker(this.env(`broker ${id}`), this.config('broker', id)))
    void broker.failed.then((reason) => this.failures.push(reason))
    this.brokers.set(id, broker)
    return broker
  }

  async startBroker(id: number): Promise<RunningNode> {
    const broker = await this.openBroker(id)
    await this.run(broker.ready)
    return broker
  }

  endBroker(id: number, cause: 'kill' | 'powerLoss'): void {
    this.brokers.delete(id)
    this.end(`broker ${id}`, cause)
  }

  client(): KafkaClient {
    const client = createClient(this.env('client'), { bootstrapServers: this.bootstrapServers })
    this.#clients.push(client)
    return client
  }

  /** The values of a partition, oldest first. */
  async valuesOf(client: KafkaClient, topic: string, partition: number): Promise<string[]> {
    const reader = client.reader({ partitions: [{ topic, partition, from: 'earliest', upTo: 'end' }] })
    const values: string[] = []
    for (;;) {
      const chunks = await this.run(reader.read())
      if (chunks === null) return values
      for (const chunk of chunks) for (const { value } of chunk) values.push(String(value))
    }
  }
}
