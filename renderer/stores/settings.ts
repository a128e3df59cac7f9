import { defineStore } from 'pinia'
import { computed } from 'vue'
import { defaultAppSettings, type AppSettings } from '../../broker/contract/settings.ts'
import { host } from '../client/host.ts'
import { useLive } from '../composables/live.ts'

/** The console's own settings, the same in every window; defaults until the host has told. */
export const useSettingsStore = defineStore('settings', () => {
  const live = useLive<true, AppSettings>({ key: true, open: (client, _key, signal) => client.settings.watch(undefined, { signal }) })
  return {
    settings: computed(() => live.data.value ?? defaultAppSettings),
    isKnown: computed(() => live.data.value !== null),
    change: (changes: Partial<AppSettings>): Promise<AppSettings> => host().settings.change(changes),
  }
})
