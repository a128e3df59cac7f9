import * as v from 'valibot'
import { appSettings, defaultAppSettings, type AppSettings } from '../../contract/settings.ts'
import type { SettingStore } from '../../store/settings.ts'
import { HostError } from '../problem.ts'
import { createChanges } from '../rpc/changes.ts'
import { implementer } from '../rpc/implementer.ts'
import type { HostServices } from '../services.ts'

const os = implementer.settings

export function settingsRouter({ store, streams, env, journal }: HostServices) {
  const changes = createChanges()
  return {
    get: os.get.handler(() => readSettings(store.settings)),
    watch: os.watch.handler(({ signal }) => streams.state({ read: () => readSettings(store.settings), changes, intervalMs: 50 }, signal)),
    change: os.change.handler(({ input }) => {
      const before = readSettings(store.settings)
      store.settings.set(input)
      const after = readSettings(store.settings)
      // Which cluster was looked at last is remembered, not decided: it is no activity.
      const changed = Object.keys(input).filter(
        (name) => name !== 'lastClusterId' && before[name as keyof AppSettings] !== after[name as keyof AppSettings],
      )
      if (changed.length > 0) {
        const pick = (of: AppSettings) => Object.fromEntries(changed.map((name) => [name, of[name as keyof AppSettings]]))
        const summary = `Changed ${changed.join(', ')}.`
        journal.change({
          clusterId: null,
          action: 'settings.change',
          subject: 'settings',
          summary,
          before: pick(before),
          after: pick(after),
        })
      }
      changes.emit()
      return after
    }),
    listFilters: os.listFilters.handler(({ input }) => store.filters.list(input.scope)),
    saveFilter: os.saveFilter.handler(({ input }) => store.filters.save({ ...input, savedMs: env.clock.nowMs() })),
    removeFilter: os.removeFilter.handler(({ input }) => {
      if (!store.filters.remove(input.id)) throw new HostError('NOT_FOUND', 'There is no such filter.', { subject: String(input.id) })
      return null
    }),
  }
}

/** Stored values that this version accepts, defaults for the rest: an older or newer Weir's settings never stop the console. */
export function readSettings(settings: SettingStore): AppSettings {
  const stored = settings.all()
  const accepted = Object.entries(appSettings.entries).flatMap(([name, schema]) => {
    const result = v.safeParse(schema, stored[name])
    return result.success ? [[name, result.output] as const] : []
  })
  return { ...defaultAppSettings, ...Object.fromEntries(accepted) }
}
