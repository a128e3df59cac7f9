import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { ProduceDraft } from '../lib/produce-draft.ts'

/** What is open over the page: one palette, one help, one produce drawer and so on, each reachable from anywhere. */
export interface ProduceRequest {
  topic: string
  tombstone?: boolean
  key?: string
  /** A record to begin with, instead of what was sent there last. */
  draft?: ProduceDraft
}

export const useWindowStore = defineStore('window', () => {
  const paletteOpen = ref(false)
  const paletteText = ref('')
  const helpOpen = ref(false)
  const createTopicOpen = ref(false)
  const produce = ref<ProduceRequest | null>(null)
  /** The topic whose records are to be deleted; null while the dialog is closed. */
  const deleteRecordsOf = ref<string | null>(null)
  return {
    paletteOpen,
    paletteText,
    helpOpen,
    createTopicOpen,
    produce,
    deleteRecordsOf,
    openPalette(text = ''): void {
      paletteText.value = text
      paletteOpen.value = true
    },
  }
})
