/**
 * What runtime and node process say to each other over the fork's message channel: life cycle and addresses only. No
 * cluster metadata travels this way; that goes through the quorum.
 */
import type { ControllerAddress, NodeConnection, NodeRole } from './types.ts'

export interface NodeListener {
  readonly name: string
  readonly host: string
  /** 0 takes a free one; the `listening` message tells which. */
  readonly port: number
  /** What clients are told to connect to, where that is not `host`. */
  readonly advertisedHost?: string
}

export interface Voter {
  readonly id: number
  readonly directoryId: string
}

/** A node process finds it as JSON in the environment variable WEIR_NODE_CONFIG. */
export interface NodeConfig {
  readonly role: NodeRole
  readonly nodeId: number
  readonly clusterId: string
  readonly dataDirectory: string
  readonly listeners: readonly NodeListener[]
  readonly internalSecret: string
  /** Those that have bound their ports so far; a `config` message follows each one. */
  readonly controllers: readonly ControllerAddress[]
  readonly voters: readonly Voter[]
  /** Of a broker: the voter that runs in its process. */
  readonly companion?: NodeConfig
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  readonly configOverrides: Readonly<Record<string, string>>
}

export type ToNode =
  | { readonly type: 'config'; readonly controllers: readonly ControllerAddress[] }
  /** To controllers: that node's process was seen to end, so nobody need wait for its time-outs. A hint, never a proof. */
  | { readonly type: 'ended'; readonly nodeId: number }
  | { readonly type: 'stop' }
  /** To a broker with a voter in its process: end the broker, keep the voter, and say `left`. */
  | { readonly type: 'leave' }
  | { readonly type: 'connections' }

export type FromNode =
  | { readonly type: 'listening'; readonly listeners: readonly NodeListener[] }
  | { readonly type: 'ready' }
  | { readonly type: 'left' }
  | { readonly type: 'stopping' }
  | { readonly type: 'stopped' }
  | { readonly type: 'fatal'; readonly reason: string }
  | { readonly type: 'connections'; readonly list: readonly NodeConnection[] }

const kinds: ReadonlySet<unknown> = new Set(['listening', 'ready', 'left', 'stopping', 'stopped', 'fatal', 'connections'])

/** `null` for anything that is not one of ours. */
export function asNodeMessage(message: unknown): FromNode | null {
  if (typeof message !== 'object' || message === null || !('type' in message)) return null
  return kinds.has(message.type) ? (message as FromNode) : null
}
