/** The console's own settings and saved filters, the same in every window. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { streamOf } from './stream.ts'

export const appSettings = v.object({
  theme: v.picklist(['system', 'dark', 'light']),
  /** How timestamps are shown. */
  timeZone: v.picklist(['local', 'utc']),
  /** Rows a message query reads before it pauses. */
  messageRowsMax: v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(1_000_000)),
  showInternalTopics: v.boolean(),
  /** Desktop: closing the window keeps the cluster running in the tray. */
  keepRunningInTray: v.boolean(),
  /** The cluster the console shows when it starts; `null`: the first. */
  lastClusterId: v.nullable(v.string()),
})
export type AppSettings = v.InferOutput<typeof appSettings>

export const defaultAppSettings: AppSettings = {
  theme: 'system',
  timeZone: 'local',
  messageRowsMax: 1_000,
  showInternalTopics: false,
  keepRunningInTray: true,
  lastClusterId: null,
}

/** A saved filter: what a page's form held, by name. */
export interface SavedFilter {
  readonly id: number
  /** Which form it belongs to, as `messages`. */
  readonly scope: string
  readonly name: string
  /** JSON text, as the form gave it. */
  readonly content: string
  readonly savedMs: number
}

const scope = v.pipe(v.string(), v.minLength(1), v.maxLength(60))

export const settingsContract = {
  get: procedure.output(type<AppSettings>()),
  watch: procedure.output(streamOf<AppSettings>()),
  change: procedure.input(v.partial(appSettings)).output(type<AppSettings>()),
  listFilters: procedure.input(v.object({ scope })).output(type<readonly SavedFilter[]>()),
  /** An existing filter of that scope and name is replaced. */
  saveFilter: procedure
    .input(
      v.object({
        scope,
        name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(120)),
        content: v.pipe(v.string(), v.maxLength(100_000)),
      }),
    )
    .output(type<SavedFilter>()),
  removeFilter: procedure.input(v.object({ id: v.pipe(v.number(), v.integer()) })).output(type<null>()),
}
