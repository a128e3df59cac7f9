/**
 * How much a client may take before it is asked to wait. A reply names the wait, and the connection is muted for as
 * long (KIP-219); the broker answers first and never holds a reply back.
 */
export type QuotaKind = 'produceBytes' | 'fetchBytes' | 'controllerMutations'

export interface QuotaClient {
  /** Who is charged; equal type and name are the same one. */
  readonly principal: { readonly type: string; readonly name: string }
  readonly clientId: string
}

export interface Quotas {
  /** Notes usage and returns how long the client should pause, in milliseconds; 0 for not at all. */
  charge(kind: QuotaKind, client: QuotaClient, amount: number): number
}

/** The quotas of a cluster that sets none. */
export const unlimited: Quotas = { charge: () => 0 }
