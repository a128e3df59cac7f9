import { initProducerId } from '../../api/22-init-producer-id.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { ProducerIdentity } from './producer-batch.ts'

/** The newest version this producer knows the meaning of; v6 prepares transactions in two phases. */
const INIT_PRODUCER_ID_VERSION_MAX = 5

/** A producer id of its own from the cluster. Retries what is retriable until the call is over. */
export function fetchProducerIdentity(core: ClientCore, call: Call): Promise<ProducerIdentity> {
  return core.retrying(call, async () => {
    const reply = await core.requestAny(initProducerId, { transactionalId: null, transactionTimeoutMs: 0x7fffffff }, call, {
      maxVersion: INIT_PRODUCER_ID_VERSION_MAX,
      isRepeatable: true,
    })
    if (reply.errorCode === ErrorCode.NONE) return { producerId: reply.producerId, producerEpoch: reply.producerEpoch }
    throw ClientError.ofBroker(reply.errorCode, 'No producer id was given out', { api: initProducerId.name })
  })
}
