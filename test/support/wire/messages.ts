/** Every message the project has a layout for, with its versions: what tests of the codec go through one by one. */
import * as consumerProtocol from '../../../broker/api/consumer-protocol.schema.ts'
import * as controlRecords from '../../../broker/api/control-records.schema.ts'
import * as coordinatorRecords from '../../../broker/api/coordinator-records.schema.ts'
import { metadataRecords } from '../../../broker/api/metadata-records.schema.ts'
import * as producerSnapshot from '../../../broker/api/producer-snapshot.schema.ts'
import { allApis } from '../../../broker/api/schemas.ts'
import * as transactionLog from '../../../broker/api/transaction-log.schema.ts'
import { boundsOf, type Message } from '../../../broker/wire/schema.ts'

export const apiMessages: readonly Message[] = allApis.flatMap((api) => [api.request, api.response])

export const payloadMessages: readonly Message[] = [
  ...Object.values(metadataRecords),
  ...[consumerProtocol, controlRecords, coordinatorRecords, producerSnapshot, transactionLog].flatMap((module) =>
    Object.values(module as Record<string, unknown>).filter(isMessage),
  ),
]

export const allMessages: readonly Message[] = [...apiMessages, ...payloadMessages]

export function versionsOf(message: Message): number[] {
  const { min, max } = boundsOf(message.versions)
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'fields' in value && 'flexible' in value
}
