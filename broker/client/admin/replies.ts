import type { ApiDefinition } from '../../net/request-channel.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Decoded, Encodable } from '../../wire/schema.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'

/** What a controller may be told to take. */
const CONTROLLER_TIMEOUT_MS = 30_000

/** The error of one item of a reply; `null` when it succeeded. A missing item is an error too. */
export function errorOf(
  item: { readonly errorCode: number; readonly errorMessage?: string | null } | undefined,
  what: string,
  api: string,
): ClientError | null {
  if (item === undefined) return new ClientError('MALFORMED_REPLY', `${what}: the reply to ${api} lacks it.`, { api })
  if (item.errorCode === ErrorCode.NONE) return null
  return ClientError.ofBroker(item.errorCode, what, { api, text: item.errorMessage ?? null })
}

/**
 * Asks the controller, and again while the answer is that another broker is it (ZooKeeper-era clusters, elections).
 * `errorCodes` reads the items' codes from the reply. A cluster that cannot be reached is said at once, for a person
 * waits; what was written and not answered may have been done, and is not repeated.
 */
export function askController<A extends ApiDefinition>(
  core: ClientCore,
  api: A,
  call: Call,
  body: (timeoutMs: number) => Encodable<A['request']>,
  errorCodes: (reply: Decoded<A['response']>) => readonly number[],
): Promise<Decoded<A['response']>> {
  const attempt = async (): Promise<Decoded<A['response']>> => {
    const timeoutMs = Math.max(1, Math.min(CONTROLLER_TIMEOUT_MS, Math.floor(call.remainingMs)))
    const reply = await core.requestController(api, body(timeoutMs), call, { attemptMs: timeoutMs + core.options.requestTimeoutMs })
    if (errorCodes(reply).includes(ErrorCode.NOT_CONTROLLER)) {
      core.cache.forgetBrokers()
      throw ClientError.ofBroker(ErrorCode.NOT_CONTROLLER, `The controller moved while ${api.name} was asked of it`, { api: api.name })
    }
    return reply
  }
  return core.retrying(call, attempt, ({ kafkaError }) => kafkaError === ErrorCode.NOT_CONTROLLER)
}
