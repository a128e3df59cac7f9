import { useToast } from '@nuxt/ui/composables'
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { defaultAppSettings, type AppSettings } from '../../broker/contract/settings.ts'
import { host } from '../client/host.ts'
import { useLive } from '../composables/live.ts'
import { nextStep, problemOf } from '../lib/problem.ts'

/** The console's own settings, the same in every window; defaults until the host has told. */
export const useSettingsStore = defineStore('settings', () => {
  const toast = useToast()
  const live = useLive<true, AppSettings>({ key: true, open: (client, _key, signal) => client.settings.watch(undefined, { signal }) })
  return {
    settings: computed(() => live.data.value ?? defaultAppSettings),
    isKnown: computed(() => live.data.value !== null),
    /** Saves them; a failure is said, and the old ones stay. */
    async change(changes: Partial<AppSettings>): Promise<void> {
      try {
        await host().settings.change(changes)
      } catch (error) {
        const problem = problemOf(error)
        toast.add({
          id: 'settings',
          title: 'Could not save the settings',
          description: `${problem.message} ${nextStep(problem)}`,
          color: 'error',
        })
      }
    },
  }
})
