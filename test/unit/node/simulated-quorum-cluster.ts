/** Controllers, whole, and observers with forwarding, each a process of its own in a simulated world. */
import { expect } from 'vitest'
import { createTopics } from '../../../broker/api/19-create-topics.schema.ts'
import { brokerRegistration } from '../../../broker/api/62-broker-registration.schema.ts'
import { brokerHeartbeat } from '../../../broker/api/63-broker-heartbeat.schema.ts'
import { supportedFeatures } from '../../../broker/cluster/features.ts'
import { SimulatedWorld, type SimulatedEnv } from '../../../broker/env/simulated.ts'
import { openLogManager } from '../../../broker/log/log-manager.ts'
import type { LogManager } from '../../../broker/log/types.ts'
import type { NodeConfig } from '../../../broker/node/config.ts'
import { ControllerCalls } from '../../../broker/node/controller-calls.ts'
import { ControllerChannels } from '../../../broker/node/controller-channels.ts'
import { createController } from '../../../broker/node/controller.ts'
import { ControllerForwarder } from '../../../broker/node/forwarding.ts'
import { metadataLogConfig } from '../../../broker/node/metadata-log.ts'
import { MetadataObserver } from '../../../broker/node/metadata-observer.ts'
import type { RunningNode } from '../../../broker/node/running-node.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from '../../../broker/quorum/metadata-topic.ts'
import { ANONYMOUS } from '../../../broker/security/principal.ts'
import { ErrorCode } from '../../../broker/wire/errors.ts'

export const CLUSTER_ID = 'K9zq8zKfQKm1yVb3b5J1tw'
const SECRET = 'the secret of this run'
const FIRST_CONTROLLER = 1001

export interface ObserverNode {
  readonly observer: MetadataObserver
  readonly calls: ControllerCalls
  readonly forwarder: ControllerForwarder
  readonly logs: LogManager
}

export class SimulatedQuorumCluster {
  readonly world: SimulatedWorld
  readonly failures: string[] = []
  readonly #voterCount: number
  readonly #snapshotAfterBytes: number
  readonly #settings: Readonly<Record<string, string>>
  readonly #envs = new Map<string, SimulatedEnv>()
  readonly #controllers = new Map<number, RunningNode>()

  constructor(options: {
    readonly seed: number
    readonly voters: number
    readonly diskLatencyMsMax?: number
    readonly networkLatencyMsMax?: number
    readonly snapshotAfterBytes?: number
    /** Of every node, by Kafka's names. */
    readonly settings?: Readonly<Record<string, string>>
  }) {
    const { voters, snapshotAfterBytes, settings, ...world } = options
    this.world = new SimulatedWorld(world)
    this.#voterCount = voters
    this.#snapshotAfterBytes = snapshotAfterBytes ?? 20 * 1024 * 1024
    this.#settings = settings ?? {}
  }

  get controllerIds(): readonly number[] {
    return Array.from({ length: this.#voterCount }, (_, index) => FIRST_CONTROLLER + index)
  }

  get addresses() {
    return this.controllerIds.map((id) => ({ id, host: '127.0.0.1', port: 20_000 + id }))
  }

  get voters() {
    return this.controllerIds.map((id) => ({
      id,
      directoryId: Buffer.from(`directory of ${id}`.slice(0, 16).padEnd(16)).toString('base64url'),
    }))
  }

  config(role: NodeConfig['role'], nodeId: number): NodeConfig {
    const listeners = role === 'controller' ? [{ name: 'INTERNAL', host: '127.0.0.1', port: 20_000 + nodeId }] : []
    const { addresses: controllers, voters } = this
    return {
      role,
      nodeId,
      clusterId: CLUSTER_ID,
      dataDirectory: '/data',
      listeners,
      internalSecret: SECRET,
      controllers,
      voters,
      logLevel: 'info',
      configOverrides: { 'metadata.log.max.record.bytes.between.snapshots': String(this.#snapshotAfterBytes), ...this.#settings },
    }
  }

  env(name: string): SimulatedEnv {
    const env = this.#envs.get(name) ?? this.world.start(name)
    this.#envs.set(name, env)
    return env
  }

  /** Ends this life of the process; the next `env(name)` is another one on the same disk. */
  end(name: string, cause: 'kill' | 'powerLoss'): void {
    this.#envs.set(name, this.env(name).restartAfter(cause))
  }

  /** Moves time until it settles. */
  run<T>(operation: Promise<T>): Promise<T> {
    return this.world.start('the test').run(operation)
  }

  advance(ms: number): Promise<void> {
    return this.world.start('the test').advance(ms)
  }

  async startController(id: number): Promise<RunningNode> {
    const node = await this.run(createController(this.env(`controller ${id}`), this.config('controller', id)))
    void node.failed.then((reason) => this.failures.push(reason))
    this.#controllers.set(id, node)
    return node
  }

  endController(id: number, cause: 'kill' | 'powerLoss'): void {
    this.#controllers.delete(id)
    this.end(`controller ${id}`, cause)
  }

  async startObserver(id: number): Promise<ObserverNode> {
    const env = this.env(`observer ${id}`)
    const logs = await this.run(
      openLogManager(env, { directory: '/data', clusterId: CLUSTER_ID, nodeId: id, configOf: () => metadataLogConfig }),
    )
    const log = await this.run(
      logs.getOrCreate({ topic: METADATA_TOPIC, partition: 0 }, { topicId: METADATA_TOPIC_ID, config: metadataLogConfig }),
    )
    const channels = new ControllerChannels(env, { identity: { nodeId: id, role: 'broker' }, secret: SECRET, controllers: this.addresses })
    const observer = new MetadataObserver(env, {
      nodeId: id,
      clusterId: CLUSTER_ID,
      directoryId: logs.directoryId,
      log,
      voters: this.voters,
      channels,
      snapshotAfterBytes: this.#snapshotAfterBytes,
      onFailed: (reason) => this.failures.push(reason),
    })
    await this.run(observer.start())
    const calls = new ControllerCalls(env, channels, observer)
    return { observer, calls, forwarder: new ControllerForwarder(calls), logs }
  }

  /** Registers broker `id` and unfences it, as its process would; the broker's epoch. */
  async join(node: ObserverNode, id: number): Promise<number> {
    const features = [...supportedFeatures].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
    const request = {
      brokerId: id,
      clusterId: CLUSTER_ID,
      incarnationId: this.env('the test').random.uuid(),
      listeners: [{ name: 'CLIENT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
      features,
      rack: null,
      logDirs: [node.logs.directoryId],
      previousBrokerEpoch: -1,
    }
    const { errorCode, brokerEpoch } = await this.run(node.calls.call(brokerRegistration, 4, request, { timeoutMs: 20_000 }))
    expect(errorCode).toBe(ErrorCode.NONE)
    await this.run(node.observer.reached(brokerEpoch))
    expect(await this.beat(node, id, brokerEpoch)).toMatchObject({ errorCode: ErrorCode.NONE, isFenced: false })
    return brokerEpoch
  }

  beat(node: ObserverNode, brokerId: number, brokerEpoch: number) {
    const request = { brokerId, brokerEpoch, currentMetadataOffset: node.observer.image.offset, wantFence: false, wantShutDown: false }
    return this.run(node.calls.call(brokerHeartbeat, 2, request, { timeoutMs: 20_000 }))
  }

  /** The error code, once the controller has answered. */
  async createTopic(node: ObserverNode, name: string, timeoutMs = 20_000): Promise<number> {
    const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    const request = { topics, timeoutMs, validateOnly: false }
    const answer = await node.forwarder.send(createTopics, 7, request, { principal: ANONYMOUS, clientId: 'test', timeoutMs })
    return answer.topics[0]!.errorCode
  }

  /** Waits, in virtual time, until `isTrue`. */
  async until(isTrue: () => boolean, withinMs = 30_000): Promise<void> {
    for (let waitedMs = 0; !isTrue(); waitedMs += 10) {
      if (waitedMs >= withinMs) throw new Error(`not within ${withinMs} ms: ${isTrue}\n${this.failures.join('\n')}`)
      await this.advance(10)
    }
  }
}
