/**
 * Which version of each API to speak with one broker: the highest both sides know, within the caller's bounds.
 *
 * Asking for the versions is itself versioned: v4 first; a broker that answers UNSUPPORTED_VERSION names the newest it
 * knows (KIP-511) or nothing (then v0). One that hangs up on a version it does not know is asked anew on a fresh
 * connection, lower; that ladder is `apiVersionsLadder`.
 */
import { apiVersions } from '../api/18-api-versions.schema.ts'
import { decodeMessage } from '../wire/codec.ts'
import { ErrorCode, WireError, errorName } from '../wire/errors.ts'
import { boundsOf } from '../wire/schema.ts'
import type { Decoded } from '../wire/schema.ts'
import type { ApiDefinition, ExchangeOptions, RawReply, RequestChannel } from '../net/request-channel.ts'
import { ClientError } from './error.ts'
import type { ApiVersionRange } from './types.ts'

/** Versions of ApiVersions to begin with, on connection after connection. */
export const apiVersionsLadder: readonly number[] = [4, 3, 0]

export interface SoftwareIdentity {
  readonly softwareName: string
  readonly softwareVersion: string
}

/** What one broker serves. */
export class VersionTable {
  readonly ranges: readonly ApiVersionRange[]
  readonly #byKey: ReadonlyMap<number, ApiVersionRange>
  readonly #address: string

  constructor(address: string, ranges: readonly ApiVersionRange[]) {
    this.#address = address
    this.ranges = ranges
    this.#byKey = new Map(ranges.map((range) => [range.apiKey, range]))
  }

  has(api: ApiDefinition): boolean {
    return this.#byKey.has(api.key)
  }

  /** The highest version of both sides within the bounds. Throws UNSUPPORTED_VERSION, naming the API. */
  pick(api: ApiDefinition, bounds: { readonly minVersion?: number; readonly maxVersion?: number } = {}): number {
    const served = this.#byKey.get(api.key)
    if (served === undefined) {
      throw new ClientError('UNSUPPORTED_VERSION', `The broker at ${this.#address} does not serve ${api.name}.`, {
        api: api.name,
        address: this.#address,
      })
    }
    const known = boundsOf(api.request.versions)
    const lowest = Math.max(known.min, served.minVersion, bounds.minVersion ?? 0)
    const highest = Math.min(known.max, served.maxVersion, bounds.maxVersion ?? Infinity)
    if (lowest <= highest) return highest
    throw new ClientError(
      'UNSUPPORTED_VERSION',
      `The broker at ${this.#address} serves ${api.name} v${served.minVersion}-${served.maxVersion}; ` +
        `this call needs one of v${Math.max(known.min, bounds.minVersion ?? 0)}-${Math.min(known.max, bounds.maxVersion ?? Infinity)}.`,
      { api: api.name, address: this.#address },
    )
  }
}

/** Asks a fresh connection what it serves, beginning at `firstVersion`. Rejects with Channel- or ClientErrors. */
export async function negotiateVersions(
  channel: RequestChannel,
  identity: SoftwareIdentity,
  firstVersion: number,
  options: ExchangeOptions,
): Promise<VersionTable> {
  let version = firstVersion
  for (;;) {
    const body = { clientSoftwareName: identity.softwareName, clientSoftwareVersion: identity.softwareVersion }
    const reply = decodeApiVersions(await channel.exchange(apiVersions, version, body, options), version, channel.address)
    if (reply.errorCode === ErrorCode.NONE) return new VersionTable(channel.address, reply.apiKeys)
    const next = nextVersion(reply, version)
    if (next === null) {
      throw new ClientError('BROKER_ERROR', `${channel.address} refused to name its versions: ${errorName(reply.errorCode)}.`, {
        kafkaError: reply.errorCode,
        api: apiVersions.name,
        address: channel.address,
      })
    }
    version = next
  }
}

/** The version to try after UNSUPPORTED_VERSION; `null` when there is none lower, or the error is another. */
function nextVersion(reply: Decoded<typeof apiVersions.response>, tried: number): number | null {
  if (reply.errorCode !== ErrorCode.UNSUPPORTED_VERSION || tried === 0) return null
  const named = reply.apiKeys.find((range) => range.apiKey === apiVersions.key)?.maxVersion ?? 0
  return Math.max(0, Math.min(named, tried - 1))
}

/** An UNSUPPORTED_VERSION reply has the layout of v0 whatever was asked. */
function decodeApiVersions(reply: RawReply, version: number, address: string): Decoded<typeof apiVersions.response> {
  const { frame, bodyPosition } = reply
  try {
    const isUnsupported = frame.length >= bodyPosition + 2 && frame.readInt16BE(bodyPosition) === ErrorCode.UNSUPPORTED_VERSION
    return decodeMessage(apiVersions.response, isUnsupported ? 0 : version, frame, bodyPosition, isUnsupported ? 'ignore' : 'refuse')
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new ClientError('NOT_KAFKA', `${address} is not a Kafka broker: its first answer cannot be read (${error.message}).`, {
      cause: error,
      address,
    })
  }
}
