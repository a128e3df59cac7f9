/** What the failures of a batch mean, and how they are told to whoever sent its records. Pure. */
import { produce } from '../../api/00-produce.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { ClientError } from '../error.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** Answers after which records may be in the log all the same. */
const uncertainErrors: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_SERVER_ERROR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])

const identityErrors: ReadonlySet<number> = new Set([
  ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  ErrorCode.UNKNOWN_PRODUCER_ID,
  ErrorCode.INVALID_PRODUCER_EPOCH,
  ErrorCode.PRODUCER_FENCED,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
])

/** Trying again later may help. */
export function mayPass(failure: ClientError): boolean {
  return failure.retriable || failure.code === 'DEADLINE_EXCEEDED'
}

/** The records may have been appended although their sending failed. */
export function leavesFateOpen(failure: ClientError): boolean {
  return failure.kafkaError === null || uncertainErrors.has(failure.kafkaError)
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
