/** What the host and the message worker say to each other. Calls are answered by id, in any order. */
import type { Problem } from '../../contract/errors.ts'
import type { QueryProgress } from '../../contract/messages.ts'
import type { QueryCalls } from '../messages/engine-port.ts'

export type CallName = keyof QueryCalls | 'shutdown'

export interface WorkerCall {
  readonly id: number
  readonly name: CallName
  readonly parameters: readonly unknown[]
}

export type FromWorker =
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly problem: Problem }
  | { readonly type: 'progress'; readonly progress: QueryProgress }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: Readonly<Record<string, string>>
    }

export interface WorkerSettings {
  readonly spillDirectory: string
  readonly clientVersion: string
}

/** Progress of one query is sent at most this often. */
export const progressIntervalMs = 100
