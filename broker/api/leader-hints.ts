/**
 * Where to go instead (KIP-951): a reply that refuses because another broker leads names that broker, so the client need
 * not refresh its metadata first. Produce v10+ and Fetch v16+ carry the hints.
 */
import type { MetadataImage } from '../cluster/image.ts'
import { ErrorCode } from '../wire/errors.ts'

export interface LeaderHint {
  readonly leaderId: number
  readonly leaderEpoch: number
}

export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Collects the hints of one reply, each broker's endpoint once. */
export class LeaderHints {
  readonly #image: MetadataImage
  readonly #listener: string
  readonly #endpoints = new Map<number, NodeEndpoint>()

  constructor(image: MetadataImage, listener: string) {
    this.#image = image
    this.#listener = listener
  }

  /** The hint for a partition that answers `error`; undefined when the error is of another kind. */
  for(topic: string, partition: number, error: ErrorCode): LeaderHint | undefined {
    if (error !== ErrorCode.NOT_LEADER_OR_FOLLOWER && error !== ErrorCode.FENCED_LEADER_EPOCH) return undefined
    const state = this.#image.partition(topic, partition)
    if (state === undefined) return undefined
    const broker = this.#image.broker(state.leader)
    const endpoint = broker?.endpoints.get(this.#listener)
    if (broker !== undefined && endpoint !== undefined) {
      this.#endpoints.set(broker.id, { nodeId: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack })
    }
    return { leaderId: state.leader, leaderEpoch: state.leaderEpoch }
  }

  get endpoints(): readonly NodeEndpoint[] {
    return [...this.#endpoints.values()]
  }
}
