/**
 * The life of a broker as the controller sees it.
 *
 *   (unknown) -> fenced            : registered; its epoch is the offset of that record
 *   fenced    -> unfenced          : it has caught up with its own registration; leaderless partitions it may lead get it
 *   unfenced  -> fenced            : no heartbeat for the session timeout, it asked, or it registered anew
 *   unfenced  -> shutting down     : it asked to; leaders move away first
 *   shutting down -> may end       : it leads nothing, and every live broker has heard so
 *   any       -> storage offline   : its log directory failed; it leads nothing and is in sync with nothing until it registers anew
 *   any       -> (unknown)         : unregistered by an administrator
 */
import { ErrorCode } from '../wire/errors.ts'
import { electForReturned, leadsAny, removeFromPartitions } from './broker-departures.ts'
import type { Decision, DecisionInput } from './decision.ts'
import { refusal, type Refusal } from './decision.ts'
import type { BrokerRegistration, Endpoint, MetadataImage } from './image.ts'
import { DirectoryId, sameMembers } from './partition-state.ts'
import { brokerRegistrationChangeRecord, registerBrokerRecord, unregisterBrokerRecord, type MetadataRecord } from './metadata-records.ts'

export interface RegistrationRequest {
  readonly brokerId: number
  readonly clusterId: string
  readonly incarnationId: string
  readonly listeners: readonly Endpoint[]
  readonly features: readonly { readonly name: string; readonly minSupportedVersion: number; readonly maxSupportedVersion: number }[]
  readonly rack: string | null
  readonly logDirs: readonly string[]
  /** The epoch of the broker's last clean stop, -1 after a crash. */
  readonly previousBrokerEpoch: number
}

export type RegistrationAnswer = { readonly errorCode: ErrorCode; readonly brokerEpoch: number }

/** `hasSession` tells whether the incarnation registered so far was heard of within its session. One that was leaving has left. */
export function registerBroker(
  { image, nextOffset }: DecisionInput,
  request: RegistrationRequest,
  hasSession: boolean,
): Decision<RegistrationAnswer> {
  const refused = (errorCode: ErrorCode): Decision<RegistrationAnswer> => ({ records: [], answer: { errorCode, brokerEpoch: -1 } })
  if (request.clusterId !== image.clusterId) return refused(ErrorCode.INCONSISTENT_CLUSTER_ID)
  if (!supportsFinalizedFeatures(image, request)) return refused(ErrorCode.UNSUPPORTED_VERSION)
  if (request.listeners.length === 0 || request.brokerId < 0) return refused(ErrorCode.INVALID_REGISTRATION)
  const former = image.broker(request.brokerId)
  const isSameLife = former !== undefined && former.incarnationId === request.incarnationId
  const isAlive = hasSession && former?.inControlledShutdown === false
  if (isAlive && !isSameLife && !provesEndOf(former, request)) return refused(ErrorCode.DUPLICATE_BROKER_REGISTRATION)

  const brokerEpoch = isSameLife ? former.brokerEpoch : nextOffset
  const fenced = isSameLife ? former.fenced : true
  const inControlledShutdown = isSameLife && former.inControlledShutdown
  const registration = registerBrokerRecord({
    brokerId: request.brokerId,
    isMigratingZkBroker: false,
    incarnationId: request.incarnationId,
    brokerEpoch,
    endPoints: request.listeners.map((listener) => ({ ...listener })),
    features: request.features.map((feature) => ({ ...feature })),
    rack: request.rack,
    fenced,
    inControlledShutdown,
    logDirs: [...request.logDirs],
    cordonedLogDirs: null,
  })
  // The new life leads nothing yet. Unless the former one ended cleanly, as the same epoch on its disk proves, it may also lack
  // what it once acknowledged.
  const isUnclean = former !== undefined && request.previousBrokerEpoch !== former.brokerEpoch
  const departures = former === undefined || isSameLife ? [] : removeFromPartitions(image, request.brokerId, { isUnclean })
  return { records: [registration, ...departures], answer: { errorCode: ErrorCode.NONE, brokerEpoch } }
}

/**
 * A broker holds an exclusive lock on its log directory for as long as it lives. Whoever presents the same directory holds that
 * lock now, so the former process has ended and a restart need not wait for its session to run out.
 */
function provesEndOf(former: BrokerRegistration, request: RegistrationRequest): boolean {
  return request.logDirs.length > 0 && sameMembers(request.logDirs, former.logDirectories)
}

function supportsFinalizedFeatures(image: MetadataImage, { features }: RegistrationRequest): boolean {
  return [...image.features].every(([name, level]) => {
    const range = features.find((feature) => feature.name === name)
    return range !== undefined && range.minSupportedVersion <= level && level <= range.maxSupportedVersion
  })
}

export interface HeartbeatRequest {
  readonly brokerId: number
  readonly brokerEpoch: number
  readonly currentMetadataOffset: number
  readonly wantFence: boolean
  readonly wantShutDown: boolean
  /** Log directories that failed in this life. */
  readonly offlineLogDirs: readonly string[]
}

export interface HeartbeatAnswer {
  readonly errorCode: ErrorCode
  readonly isCaughtUp: boolean
  readonly isFenced: boolean
  readonly shouldShutDown: boolean
}

/**
 * `lowestActiveOffset` is the metadata offset that every other live broker is known to have reached: a leaving broker may end
 * once that passes the records that moved its leaders away, as then nobody will send clients to it.
 */
export function heartbeat(
  { image }: DecisionInput,
  request: HeartbeatRequest,
  shutdown: { readonly startedAtOffset: number | null; readonly lowestActiveOffset: number },
): Decision<HeartbeatAnswer> {
  const broker = image.broker(request.brokerId)
  const error = brokerError(broker, request.brokerEpoch)
  if (broker === undefined || error !== ErrorCode.NONE) {
    return { records: [], answer: { errorCode: error, isCaughtUp: false, isFenced: true, shouldShutDown: false } }
  }
  const isCaughtUp = request.currentMetadataOffset >= broker.brokerEpoch
  const answer = (isFenced: boolean, shouldShutDown: boolean): HeartbeatAnswer => ({
    errorCode: ErrorCode.NONE,
    isCaughtUp,
    isFenced,
    shouldShutDown,
  })

  const working = broker.logDirectories.filter((directory) => !request.offlineLogDirs.includes(directory))
  if (working.length < broker.logDirectories.length) {
    return { records: directoriesFailed(image, broker, working), answer: answer(broker.fenced, false) }
  }
  if (broker.fenced) {
    if (request.wantShutDown) return { records: [], answer: answer(true, true) }
    if (request.wantFence || !isCaughtUp) return { records: [], answer: answer(true, false) }
    return { records: unfence(image, broker), answer: answer(false, false) }
  }
  if (request.wantFence) return { records: fence(image, broker), answer: answer(true, request.wantShutDown) }
  if (!request.wantShutDown) return { records: [], answer: answer(false, false) }
  if (!broker.inControlledShutdown) return { records: beginShutdown(image, broker), answer: answer(false, false) }
  const othersKnow = shutdown.startedAtOffset !== null && shutdown.lowestActiveOffset >= shutdown.startedAtOffset
  if (!othersKnow || leadsAny(image, broker.id)) return { records: [], answer: answer(false, false) }
  return { records: fence(image, broker), answer: answer(true, true) }
}

function unfence(image: MetadataImage, broker: BrokerRegistration): MetadataRecord[] {
  const elections = image.isStorageOffline(broker.id) ? [] : electForReturned(image, broker.id)
  return [brokerRegistrationChangeRecord(broker, { fenced: false }), ...elections]
}

/** With its last directory a broker loses what it leads. It stays reachable, to say what became of its disk. */
function directoriesFailed(image: MetadataImage, broker: BrokerRegistration, working: readonly string[]): MetadataRecord[] {
  const logDirectories = working.length > 0 ? working : [DirectoryId.LOST]
  const departures = working.length > 0 ? [] : removeFromPartitions(image, broker.id)
  return [brokerRegistrationChangeRecord(broker, { logDirectories }), ...departures]
}

function beginShutdown(image: MetadataImage, broker: BrokerRegistration): MetadataRecord[] {
  return [brokerRegistrationChangeRecord(broker, { inControlledShutdown: true }), ...removeFromPartitions(image, broker.id)]
}

/** Takes a broker out of service. No records for one that is fenced already. */
export function fence(image: MetadataImage, broker: BrokerRegistration): MetadataRecord[] {
  if (broker.fenced) return []
  return [brokerRegistrationChangeRecord(broker, { fenced: true }), ...removeFromPartitions(image, broker.id)]
}

export function unregisterBroker({ image }: DecisionInput, brokerId: number): Decision<Refusal | { readonly errorCode: 0 }> {
  const broker = image.broker(brokerId)
  if (broker === undefined) {
    return { records: [], answer: refusal(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ${brokerId} is not registered.`) }
  }
  const departures = removeFromPartitions(image, brokerId)
  return { records: [...departures, unregisterBrokerRecord(broker)], answer: { errorCode: ErrorCode.NONE } }
}

/** Whether a request that names this broker and epoch comes from the incarnation that is registered. */
export function brokerError(broker: BrokerRegistration | undefined, brokerEpoch: number): ErrorCode {
  if (broker === undefined) return ErrorCode.BROKER_ID_NOT_REGISTERED
  return broker.brokerEpoch === brokerEpoch ? ErrorCode.NONE : ErrorCode.STALE_BROKER_EPOCH
}
