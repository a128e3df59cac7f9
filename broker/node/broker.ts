/**
 * A whole broker on an environment: the logs, the listeners, its view of the cluster, what it hosts, and its life as a
 * member. `createBroker` is everything there is; the process around it (main.ts) and the simulator add nothing to it.
 *
 *   logs open -> listening -> registered -> caught up -> partitions loaded -> unfenced (ready) -> ... -> stopped
 *
 * Clients may connect from "listening" on and are answered from "partitions loaded" on.
 */
import { brokerSettingValues } from '../api/broker-settings.ts'
import type { BrokerServices, BrokerSettings, Time } from '../api/context.ts'
import { FetchSessions } from '../api/fetch-sessions.ts'
import { ApiRegistry } from '../api/registry.ts'
import type { MetadataImage } from '../cluster/image.ts'
import type { MetadataDelta } from '../cluster/metadata-delta.ts'
import type { Env } from '../env/types.ts'
import { openLogManager } from '../log/log-manager.ts'
import { parseTopicConfig } from '../log/topic-config.ts'
import type { LogManager, PartitionLog } from '../log/types.ts'
import { METADATA_PARTITION, METADATA_TOPIC, METADATA_TOPIC_ID } from '../quorum/metadata-topic.ts'
import { unlimited } from '../quota/quotas.ts'
import { allowEverything } from '../security/authorizer.ts'
import { AutoTopics } from './auto-topics.ts'
import { brokerApis } from './broker-apis.ts'
import { BrokerLifecycle } from './broker-lifecycle.ts'
import type { NodeConfig } from './config.ts'
import { ControllerCalls } from './controller-calls.ts'
import { ControllerChannels } from './controller-channels.ts'
import { createDispatcher } from './dispatch.ts'
import { ControllerForwarder } from './forwarding.ts'
import { startGroupCoordinator } from './group-coordinator.ts'
import { bindListeners, type Listeners } from './listeners.ts'
import { metadataLogConfig } from './metadata-log.ts'
import { MetadataObserver } from './metadata-observer.ts'
import { PartitionManager } from './partition-manager.ts'
import { ProducerIds } from './producer-ids.ts'
import { ReplicationQuotas } from './replication-quotas.ts'
import { Replication } from './replication.ts'
import type { RunningNode } from './running-node.ts'
import { createStartGate } from './start-gate.ts'
import { TopicConfigs } from './topic-configs.ts'

/** KIP-227: how long a fetch session keeps its slot against others. */
const FETCH_SESSION_EVICTION_MS = 120_000
/** How long clients may take to get their last answers when the broker stops. */
const CLOSE_GRACE_MS = 1_000

/** Until a topic's settings are known nothing of it may be removed. */
const unknownTopicConfig = parseTopicConfig([
  ['retention.ms', '-1'],
  ['retention.bytes', '-1'],
]).config

/** Resolves once the broker listens. Rejects when the data folder or a port cannot be had; then nothing is left open. */
export async function createBroker(env: Env, config: NodeConfig): Promise<RunningNode> {
  const failure = Promise.withResolvers<string>()
  let onLogOffline: (log: PartitionLog, reason: string) => void = () => undefined
  const { logInitialTaskDelayMs, logRetentionCheckIntervalMs } = brokerSettingValues(config.configOverrides)
  const logs = await openLogManager(env, {
    directory: config.dataDirectory,
    clusterId: config.clusterId,
    nodeId: config.nodeId,
    configOf: () => unknownTopicConfig,
    retentionSchedule: { initialDelayMs: logInitialTaskDelayMs, intervalMs: logRetentionCheckIntervalMs },
    onLogOffline: (log, reason) => onLogOffline(log, reason),
  })
  try {
    const topicPartition = { topic: METADATA_TOPIC, partition: METADATA_PARTITION }
    const metadataLog = await logs.getOrCreate(topicPartition, { topicId: METADATA_TOPIC_ID, config: metadataLogConfig })
    const broker = new Broker(env, config, logs, metadataLog, failure.resolve)
    onLogOffline = (log, reason) => broker.logFailed(log, reason)
    await broker.listen()
    return broker.run(failure.promise)
  } catch (error) {
    await logs.close()
    throw error
  }
}

class Broker {
  readonly #env: Env
  readonly #config: NodeConfig
  readonly #logs: LogManager
  readonly #values: ReturnType<typeof brokerSettingValues>
  readonly #settings: BrokerSettings
  readonly #channels: ControllerChannels
  readonly #observer: MetadataObserver
  readonly #calls: ControllerCalls
  readonly #partitions: PartitionManager
  readonly #quotas: ReplicationQuotas
  readonly #replication: Replication
  readonly #forwarder: ControllerForwarder
  readonly #groups: ReturnType<typeof startGroupCoordinator>
  readonly #gate: ReturnType<typeof createStartGate>
  readonly #fail: (reason: string) => void
  #listeners: Listeners | null = null
  #lifecycle: BrokerLifecycle | null = null
  #stopping: Promise<void> | null = null

  constructor(env: Env, config: NodeConfig, logs: LogManager, metadataLog: PartitionLog, fail: (reason: string) => void) {
    const { nodeId, clusterId, voters } = config
    this.#env = env
    this.#config = config
    this.#logs = logs
    this.#fail = fail
    this.#values = brokerSettingValues(config.configOverrides)
    this.#settings = { ...this.#values, overrides: config.configOverrides }
    this.#channels = new ControllerChannels(env, {
      identity: { nodeId, role: 'broker' },
      secret: config.internalSecret,
      controllers: config.controllers,
    })
    this.#observer = new MetadataObserver(env, {
      nodeId,
      clusterId,
      directoryId: logs.directoryId,
      log: metadataLog,
      voters,
      channels: this.#channels,
      snapshotAfterBytes: this.#values.metadataSnapshotAfterBytes,
      onFailed: fail,
    })
    this.#calls = new ControllerCalls(env, this.#channels, this.#observer)
    this.#forwarder = new ControllerForwarder(this.#calls)
    const image = (): MetadataImage => this.#observer.image
    const configs = new TopicConfigs({ nodeId, overrides: config.configOverrides, log: env.log })
    this.#quotas = new ReplicationQuotas({
      nodeId,
      image,
      monotonicMs: () => env.clock.monotonicMs(),
      rates: { leader: this.#values.leaderThrottleRate, follower: this.#values.followerThrottleRate },
    })
    this.#replication = new Replication(env, {
      nodeId,
      secret: config.internalSecret,
      lagTimeMaxMs: this.#values.replicaLagTimeMaxMs,
      brokerEpoch: () => this.#lifecycle?.brokerEpoch ?? -1,
      image,
      calls: this.#calls,
      quotas: this.#quotas,
    })
    const onStorageFailed = (): void => this.#lifecycle?.report()
    this.#partitions = new PartitionManager({ env, nodeId, logs, configs, image, onStorageFailed, replication: this.#replication })
    this.#groups = startGroupCoordinator(env, this.#partitions, { image, settings: this.#settings })
    this.#gate = createStartGate(this.#createHandler(image))
    this.#observer.onDelta((delta) => this.#onDelta(delta))
  }

  async listen(): Promise<void> {
    const { frameBytesMax, connectionsMax, idleMs } = this.#values
    this.#listeners = await bindListeners(this.#env, this.#config, { frameBytesMax, connectionsMax, idleMs }, this.#gate.handler)
  }

  run(failed: Promise<string>): RunningNode {
    const listeners = this.#listeners!
    return {
      listeners: listeners.bound,
      ready: this.#join(listeners),
      failed,
      setControllers: (controllers) => this.#channels.setAddresses(controllers),
      connections: () => listeners.connections(),
      stop: () => (this.#stopping ??= this.#stop()),
    }
  }

  logFailed(log: PartitionLog, reason: string): void {
    if (log.topicPartition.topic === METADATA_TOPIC) this.#fail(`the metadata log cannot be written: ${reason}`)
    else this.#partitions.logFailed(log, reason)
  }

  /** From listening to ready, and no further once it is asked to stop: what the cluster has is not known then. */
  async #join(listeners: Listeners): Promise<void> {
    const { nodeId, clusterId } = this.#config
    const lifecycle = new BrokerLifecycle(this.#env, {
      nodeId,
      clusterId,
      calls: this.#calls,
      endpoints: listeners.endpoints,
      directoryId: this.#logs.directoryId,
      isDirectoryOffline: () => this.#partitions.isLogDirectoryOffline,
      incarnationId: this.#logs.incarnationId,
      previousBrokerEpoch: this.#logs.previousBrokerEpoch,
      heartbeatIntervalMs: this.#values.heartbeatIntervalMs,
      sessionTimeoutMs: this.#values.sessionTimeoutMs,
      metadataOffset: () => this.#observer.image.offset,
      onRegistered: (epoch) => this.#logs.noteBrokerEpoch(epoch),
    })
    this.#lifecycle = lifecycle
    await this.#observer.start()
    const brokerEpoch = await lifecycle.register()
    await this.#observer.reached(brokerEpoch)
    if (this.#stopping !== null) return new Promise<never>(() => undefined)
    this.#replication.start(this.#partitions)
    await this.#partitions.load()
    this.#gate.open()
    await lifecycle.unfence()
  }

  #createHandler(image: () => MetadataImage) {
    const { nodeId, clusterId } = this.#config
    const env = this.#env
    const registry = new ApiRegistry<BrokerServices>(brokerApis)
    const services: BrokerServices = {
      nodeId,
      clusterId,
      image,
      time: timeOf(env),
      settings: this.#settings,
      partitions: this.#partitions,
      fetchSessions: new FetchSessions({
        slots: this.#values.fetchSessionSlots,
        evictionMs: FETCH_SESSION_EVICTION_MS,
        monotonicMs: () => env.clock.monotonicMs(),
        randomBelow: (bound) => env.random.below(bound),
      }),
      leaderThrottle: this.#quotas,
      groups: this.#groups.coordinator,
      controller: this.#forwarder,
      producerIds: new ProducerIds({ nodeId, brokerEpoch: () => this.#lifecycle?.brokerEpoch ?? -1, calls: this.#calls, log: env.log }),
      autoTopics: new AutoTopics({ env, controller: this.#forwarder, settings: this.#settings, image }),
      advertisedApis: (listener) => registry.advertised(listener),
    }
    const { log } = env
    return createDispatcher({ log, registry, services, authorizer: allowEverything, quotas: unlimited, controller: this.#forwarder })
  }

  #onDelta(delta: MetadataDelta): void {
    this.#partitions.apply(delta)
    this.#replication.metadataChanged(delta)
    if (isAnyoneLeaving(delta, this.#config.nodeId)) this.#lifecycle?.report()
    if (delta.deletedTopics.length === 0) return
    // The name may be in use again; then its offsets are another topic's, and gone with it all the same.
    const names = new Set(delta.deletedTopics.map(({ name }) => name))
    void this.#groups.coordinator.topicsDeleted(names)
  }

  async #stop(): Promise<void> {
    await this.#lifecycle?.leave()
    this.#groups.close()
    this.#replication.close()
    this.#partitions.close()
    await this.#listeners?.close({ graceMs: CLOSE_GRACE_MS })
    this.#lifecycle?.close()
    await this.#observer.close()
    this.#channels.close()
    await this.#logs.close().catch((error: unknown) => {
      this.#env.log.write('error', 'the logs could not be closed; the next start recovers them', { reason: String(error) })
    })
  }
}

function isAnyoneLeaving({ changedBrokers, after }: MetadataDelta, nodeId: number): boolean {
  return [...changedBrokers].some((id) => id !== nodeId && after.isUnfenced(id) && after.broker(id)?.inControlledShutdown === true)
}

function timeOf({ clock, timers }: Env): Time {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, callback) => timers.after(delayMs, callback),
  }
}
