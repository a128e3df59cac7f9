/** The host itself: who it is, and the acknowledgement that keeps streams bounded. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'

export interface AppInfo {
  /** Weir's version, as `0.1.0`. */
  readonly version: string
  /** The host's process id. */
  readonly pid: number
  readonly startedMs: number
  readonly platform: string
  /** The profile folder: database, sockets, embedded clusters. */
  readonly dataDirectory: string
  /** Cluster to open first; `null` when there is none. */
  readonly defaultClusterId: string | null
}

export const appContract = {
  info: procedure.output(type<AppInfo>()),
  /** Says that a stream was read up to `cursor`. Unknown streams are ignored: they have just ended. */
  acknowledge: procedure
    .input(v.object({ streamId: v.pipe(v.string(), v.maxLength(64)), cursor: v.pipe(v.number(), v.safeInteger(), v.minValue(1)) }))
    .output(type<null>()),
}
