import { ErrorCode } from '../wire/errors.ts'
import { brokerError } from './broker-control.ts'
import type { Decision, DecisionInput } from './decision.ts'
import { producerIdsRecord } from './metadata-records.ts'

export const PRODUCER_ID_BLOCK_SIZE = 1_000

export interface ProducerIdBlock {
  readonly errorCode: ErrorCode
  readonly producerIdStart: number
  readonly producerIdLen: number
}

/** Hands a block of ids to a broker for good: whatever of it the broker does not use is never used. */
export function allocateProducerIds(
  { image }: DecisionInput,
  { brokerId, brokerEpoch }: { readonly brokerId: number; readonly brokerEpoch: number },
): Decision<ProducerIdBlock> {
  const errorCode = brokerError(image.broker(brokerId), brokerEpoch)
  if (errorCode !== ErrorCode.NONE) return { records: [], answer: { errorCode, producerIdStart: -1, producerIdLen: 0 } }
  const producerIdStart = image.nextProducerId
  if (producerIdStart > Number.MAX_SAFE_INTEGER - PRODUCER_ID_BLOCK_SIZE) {
    return { records: [], answer: { errorCode: ErrorCode.UNKNOWN_SERVER_ERROR, producerIdStart: -1, producerIdLen: 0 } }
  }
  const record = producerIdsRecord({ brokerId, brokerEpoch, nextProducerId: producerIdStart + PRODUCER_ID_BLOCK_SIZE })
  return { records: [record], answer: { errorCode, producerIdStart, producerIdLen: PRODUCER_ID_BLOCK_SIZE } }
}
