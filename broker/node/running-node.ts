/** What main.ts, and a simulated cluster, hold of a node once it listens: the same for brokers and controllers. */
import type { ConnectionStats } from '../net/types.ts'
import type { ControllerAddress } from './config.ts'

export interface BoundListener {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface RunningNode {
  /** With the ports really bound. */
  readonly listeners: readonly BoundListener[]
  /** Resolves when the node serves: a broker is registered, caught up and unfenced. Rejects when it never will. */
  readonly ready: Promise<void>
  /** Resolves with the reason when the node cannot go on and must be ended. */
  readonly failed: Promise<string>
  /** The addresses of the quorum, when they are only known after the start. */
  setControllers(controllers: readonly ControllerAddress[]): void
  /** Takes a hint that another node's process has ended: what would follow from its silence follows now. Controllers only. */
  nodeEnded?(nodeId: number): void
  connections(): readonly ConnectionStats[]
  /**
   * Where a broker and a voter share a process: ends the broker alone, in order. When all of them end, each needs the others' voters
   * until every broker has left. Never rejects.
   */
  leave?(): Promise<void>
  /** Hands over what the node leads, closes everything in order. Idempotent; never rejects. */
  stop(): Promise<void>
}
