/** What the failures of a batch mean, and how they are told to whoever sent its records. Pure. */
import { produce } from '../../api/00-produce.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { ClientError } from '../error.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

const identityErrors: ReadonlySet<number> = new Set([
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
])

/**
 * Answers of a broker that has looked at the records and appended none. After any other, also one that says who leads, they may
 * be in the log: a leader gives it as well to those who wait for replicas when it stops leading.
 */
const refusals: ReadonlySet<number> = new Set([
  ...identityErrors,
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.INVALID_TOPIC_EXCEPTION,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.INVALID_REQUIRED_ACKS,
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.INVALID_TIMESTAMP,
  ErrorCode.UNSUPPORTED_VERSION,
  ErrorCode.INVALID_REQUEST,
  ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
  ErrorCode.POLICY_VIOLATION,
  ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
  ErrorCode.INVALID_RECORD,
])

/** Trying again later may help. */
export function mayPass(failure: ClientError): boolean {
  return failure.retriable || failure.code === 'DEADLINE_EXCEEDED'
}

/** The records may have been appended although their sending failed. */
export function leavesFateOpen(failure: ClientError): boolean {
  return failure.kafkaError === null || !refusals.has(failure.kafkaError)
}

/** The broker does not know the producer any more, or not at this place in its sequence. */
export function isIdentityError(failure: ClientError): boolean {
  return failure.kafkaError !== null && identityErrors.has(failure.kafkaError)
}

export function withoutLeader({ topic, partition }: PartitionQueue): ClientError {
  return ClientError.ofBroker(ErrorCode.LEADER_NOT_AVAILABLE, `Partition ${topic}-${partition} has no leader at the moment`)
}

export function notInTime({ topic, partition, lastError }: PartitionQueue, batch: ProducerBatch): ClientError {
  const last = batch.lastError ?? lastError
  const reason = last === null ? '' : ` Last: ${last.message}`
  return new ClientError(
    'DEADLINE_EXCEEDED',
    `${batch.recordCount} records for ${topic}-${partition} were not delivered in time.${reason}`,
    { cause: last ?? undefined, api: produce.name },
  )
}

/** Refused for good, after an attempt whose fate is open. */
export function refusedInDoubt(failure: ClientError): ClientError {
  const { code, kafkaError, api } = failure
  return new ClientError(code, `${failure.message} They were sent before without a clear answer, and may be in the log.`, {
    cause: failure,
    api: api ?? produce.name,
    ...(kafkaError !== null && { kafkaError }),
  })
}

export function lostPlace({ topic, partition }: PartitionQueue, failure: ClientError): ClientError {
  const what = `The producer lost its place in ${topic}-${partition} (${failure.kafkaErrorName})`
  return new ClientError('PRODUCER_FENCED', `${what}: whether these records were written before is not known. It goes on under a new id.`, {
    cause: failure,
    api: produce.name,
  })
}

export function uncertainFate({ topic, partition }: PartitionQueue, batch: ProducerBatch): ClientError {
  const what = `Whether ${batch.recordCount} records for ${topic}-${partition} were written is not known`
  return new ClientError('PRODUCER_FENCED', `${what}; sending them again could write them twice.`, {
    cause: batch.lastError ?? undefined,
    api: produce.name,
  })
}
