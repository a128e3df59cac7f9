import type { ConnectionPoolOptions } from './connection-pool.ts'
import { ClientError } from './error.ts'
import type { ClientOptions } from './types.ts'

export interface ResolvedOptions extends ConnectionPoolOptions {
  readonly requestTimeoutMs: number
  readonly callTimeoutMs: number
  readonly metadataMaxAgeMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
}

/** Fills in the defaults that ClientOptions documents. Throws INVALID_ARGUMENT for a duration that cannot be one. */
export function resolveOptions(options: ClientOptions): ResolvedOptions {
  return {
    clientId: options.clientId ?? 'weir',
    softwareName: options.softwareName ?? 'weir',
    softwareVersion: options.softwareVersion ?? '0.1.0',
    connectTimeoutMs: positive('connectTimeoutMs', options.connectTimeoutMs ?? 10_000),
    requestTimeoutMs: positive('requestTimeoutMs', options.requestTimeoutMs ?? 30_000),
    callTimeoutMs: positive('callTimeoutMs', options.callTimeoutMs ?? 60_000),
    metadataMaxAgeMs: positive('metadataMaxAgeMs', options.metadataMaxAgeMs ?? 300_000),
    reconnectBackoffMs: positive('reconnectBackoffMs', options.reconnectBackoffMs ?? 50),
    reconnectBackoffMaxMs: positive('reconnectBackoffMaxMs', options.reconnectBackoffMaxMs ?? 1_000),
    retryBackoffMs: positive('retryBackoffMs', options.retryBackoffMs ?? 50),
    retryBackoffMaxMs: positive('retryBackoffMaxMs', options.retryBackoffMaxMs ?? 1_000),
    connectionIdleMs: positive('connectionIdleMs', options.connectionIdleMs ?? 540_000),
    inflightRequestsMax: positive('inflightRequestsMax', options.inflightRequestsMax ?? 64),
    frameBytesMax: positive('frameBytesMax', options.frameBytesMax ?? 128 * 1024 * 1024),
    ...(options.authenticate && { authenticate: options.authenticate }),
  }
}

/** Throws INVALID_ARGUMENT unless the number is above zero and finite. */
export function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value
  throw new ClientError('INVALID_ARGUMENT', `${name} is ${value}; it must be a positive number.`)
}
