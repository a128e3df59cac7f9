/**
 * A whole controller on an environment: its folder, the metadata log, its part in the quorum, the image, and, while it leads, the
 * cluster's decisions. `createController` is everything there is; the process around it and the simulator add nothing to it.
 *
 *   folder formatted -> log open -> listening -> takes part in the quorum -> a leader is known (ready) -> ... -> stopped
 */
import { brokerSettingValues } from '../api/broker-settings.ts'
import type { ControllerServices } from '../api/controller-context.ts'
import { ApiRegistry } from '../api/registry.ts'
import { supportedFeatures } from '../cluster/features.ts'
import { ConfigResourceType, type Endpoint, type MetadataImage } from '../cluster/image.ts'
import { configRecord, registerControllerRecord, type MetadataRecord } from '../cluster/metadata-records.ts'
import { MIN_INSYNC_REPLICAS } from '../cluster/partition-change.ts'
import type { Env } from '../env/types.ts'
import { openLogManager } from '../log/log-manager.ts'
import type { LogManager } from '../log/types.ts'
import { decodeElectionState, INITIAL_ELECTION_STATE } from '../quorum/election-state.ts'
import { METADATA_PARTITION, METADATA_TOPIC, METADATA_TOPIC_ID } from '../quorum/metadata-topic.ts'
import { unlimited } from '../quota/quotas.ts'
import { allowEverything } from '../security/authorizer.ts'
import { ControllerRuntime } from './active-controller.ts'
import type { NodeConfig } from './config.ts'
import { ControllerChannels } from './controller-channels.ts'
import { controllerApis } from './controller-apis.ts'
import { createDispatcher } from './dispatch.ts'
import { openFormatted, type FormattedFolder } from './format.ts'
import { ForwardedRequestCarrier } from './forwarded-requests.ts'
import { bindListeners, type Listeners } from './listeners.ts'
import { metadataLogConfig } from './metadata-log.ts'
import { MetadataReplica } from './metadata-replica.ts'
import type { RunningNode } from './running-node.ts'
import { StandbyRegistration } from './standby-registration.ts'

const CLOSE_GRACE_MS = 1_000

/** Opens the folder, listens, and starts to take part. Rejects when the folder or a port cannot be had; the message is for people. */
export async function createController(env: Env, config: NodeConfig): Promise<RunningNode> {
  const folder = await openFormatted(env, config)
  const { dataDirectory: directory, clusterId, nodeId } = config
  const logs = await openLogManager(env, { directory, clusterId, nodeId, configOf: () => metadataLogConfig })
  try {
    const controller = await Controller.open(env, config, folder, logs)
    await controller.start()
    return controller
  } catch (error) {
    await logs.close()
    throw error
  }
}

class Controller implements RunningNode {
  readonly ready: Promise<void>
  readonly failed: Promise<string>
  readonly #env: Env
  readonly #config: NodeConfig
  readonly #folder: FormattedFolder
  readonly #logs: LogManager
  readonly #channels: ControllerChannels
  readonly #replica: MetadataReplica
  readonly #runtime: ControllerRuntime
  readonly #standby: StandbyRegistration
  readonly #incarnationId: string
  #listeners: Listeners | null = null
  #stopping: Promise<void> | null = null

  static async open(env: Env, config: NodeConfig, folder: FormattedFolder, logs: LogManager): Promise<Controller> {
    const failure = Promise.withResolvers<string>()
    const topicPartition = { topic: METADATA_TOPIC, partition: METADATA_PARTITION }
    const partitionLog = await logs.getOrCreate(topicPartition, { topicId: METADATA_TOPIC_ID, config: metadataLogConfig })
    const stored = await env.disk.readFile(`${partitionLog.directory}/quorum-state`)
    const election = stored === null ? INITIAL_ELECTION_STATE : decodeElectionState(stored)
    const channels = new ControllerChannels(env, {
      identity: { nodeId: config.nodeId, role: 'controller' },
      secret: config.internalSecret,
      controllers: config.controllers,
    })
    const replica = new MetadataReplica(env, {
      self: { id: config.nodeId, directoryId: logs.directoryId },
      clusterId: config.clusterId,
      voters: folder.voters,
      election,
      log: partitionLog,
      channels,
      snapshotAfterBytes: brokerSettingValues(config.configOverrides).metadataSnapshotAfterBytes,
      onFailed: failure.resolve,
    })
    return new Controller({ env, config, folder, logs, channels, replica, failure })
  }

  private constructor(parts: {
    readonly env: Env
    readonly config: NodeConfig
    readonly folder: FormattedFolder
    readonly logs: LogManager
    readonly channels: ControllerChannels
    readonly replica: MetadataReplica
    readonly failure: PromiseWithResolvers<string>
  }) {
    const { env, config, folder, replica, failure } = parts
    const { driver, applier } = replica
    this.#env = env
    this.#config = config
    this.#folder = folder
    this.#logs = parts.logs
    this.#channels = parts.channels
    this.#replica = replica
    this.#incarnationId = env.random.uuid()
    this.failed = failure.promise
    this.#runtime = new ControllerRuntime(env, {
      driver,
      applier,
      ...controllerSettings(config.configOverrides),
      activationRecords: (image) => this.#activationRecords(image),
    })
    this.#standby = new StandbyRegistration(env, { driver, channels: parts.channels, registration: () => this.#registration() })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    driver.subscribe({ onRoleChanged: ({ leaderId }) => (leaderId === null ? undefined : resolve()) })
  }

  async start(): Promise<void> {
    const registry = new ApiRegistry<ControllerServices>(controllerApis)
    const authority = { authorizer: allowEverything, quotas: unlimited }
    const forwarded = new ForwardedRequestCarrier({ log: this.#env.log, registry, services: () => services, ...authority })
    const services = this.#services(registry, forwarded)
    const dispatcher = createDispatcher({ log: this.#env.log, registry, services, controller: null, ...authority })
    this.#listeners = await bindListeners(this.#env, this.#config, {}, dispatcher)
    await this.#replica.start()
  }

  get listeners() {
    return this.#listeners?.bound ?? []
  }

  setControllers(controllers: NodeConfig['controllers']): void {
    this.#channels.setAddresses(controllers)
  }

  nodeEnded(nodeId: number): void {
    this.#replica.driver.nodeEnded(nodeId)
    this.#runtime.brokerEnded(nodeId)
  }

  connections() {
    return this.#listeners?.connections() ?? []
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop().catch((error: unknown) =>
      this.#env.log.write('error', 'this controller did not stop cleanly', { reason: String(error) }),
    )
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#standby.close()
    this.#runtime.close()
    await this.#replica.close()
    // Ours first: controllers that stop together would else wait for each other's connections to end.
    this.#channels.close()
    await this.#listeners?.close({ graceMs: CLOSE_GRACE_MS })
    await this.#logs.close()
  }

  #services(registry: ApiRegistry<ControllerServices>, forwarded: ForwardedRequestCarrier): ControllerServices {
    const { nodeId, clusterId, configOverrides: overrides } = this.#config
    const { clock, timers, random } = this.#env
    const { defaultPartitions: partitionCount, defaultReplicationFactor: replicationFactor } = brokerSettingValues(overrides)
    const { driver, applier, snapshots } = this.#replica
    const channels = this.#channels
    const voters = this.#folder.voters
    return {
      nodeId,
      clusterId,
      image: () => applier.image,
      time: {
        nowMs: () => clock.nowMs(),
        monotonicMs: () => clock.monotonicMs(),
        after: (delayMs, callback) => timers.after(delayMs, callback),
      },
      quorum: {
        get state() {
          return driver.state
        },
        get logEndOffset() {
          return driver.log.endOffset
        },
        handle: (request, signal) => driver.handle(request, signal),
        readSnapshot: (snapshot, part) => snapshots.read(snapshot, part),
        snapshotAsked: (replica, epoch) => driver.snapshotAsked(replica, epoch),
        voterAddresses: () => voters.flatMap(({ id }) => channels.address(id) ?? []),
      },
      controller: this.#runtime,
      topicDefaults: { partitionCount, replicationFactor },
      overrides,
      newUuid: () => random.uuid(),
      advertisedApis: (listener) => registry.advertised(listener),
      forwarded,
    }
  }

  #activationRecords(image: MetadataImage): readonly MetadataRecord[] {
    const initial = image.features.size === 0 ? this.#folder.initialRecords : []
    const { configOverrides } = this.#config
    const isSet = image.configOf(ConfigResourceType.BROKER, '').has(MIN_INSYNC_REPLICAS)
    // Every controller decides by the one value that is in the metadata, whatever it was started with (KIP-966).
    const minimum = configRecord(ConfigResourceType.BROKER, '', MIN_INSYNC_REPLICAS, configOverrides[MIN_INSYNC_REPLICAS] ?? '1')
    return [...initial, ...(isSet ? [] : [minimum]), registerControllerRecord(this.#registration())]
  }

  #registration() {
    const endPoints: Endpoint[] = (this.#listeners?.endpoints ?? []).map((endpoint) => ({ ...endpoint }))
    const features = [...supportedFeatures].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }))
    return { controllerId: this.#config.nodeId, incarnationId: this.#incarnationId, zkMigrationReady: false, endPoints, features }
  }
}

function controllerSettings(overrides: NodeConfig['configOverrides']) {
  const values = brokerSettingValues(overrides)
  const { sessionTimeoutMs: brokerSessionTimeoutMs, leaderImbalancePercentage } = values
  return {
    brokerSessionTimeoutMs,
    leaderImbalancePercentage,
    leaderImbalanceCheckMs: values.autoLeaderRebalance ? values.leaderImbalanceCheckSeconds * 1_000 : null,
  }
}
