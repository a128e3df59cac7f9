import { defineStore } from 'pinia'
import { emptyDraft, type ProduceDraft } from '../lib/produce-draft.ts'

/** The last input for each topic, while the window lives. That the last one was a tombstone is not kept: nobody should delete by habit. */
const TOPICS_MAX = 50

export const useProduceDraftsStore = defineStore('produce-drafts', () => {
  /** As text: a form's values are reactive, and a copy must not be. */
  const drafts = new Map<string, string>()
  return {
    of: (clusterId: string, topic: string): ProduceDraft => ({
      ...emptyDraft(),
      ...(JSON.parse(drafts.get(`${clusterId}/${topic}`) ?? '{}') as Partial<ProduceDraft>),
      isTombstone: false,
    }),
    keep(clusterId: string, topic: string, draft: ProduceDraft): void {
      const name = `${clusterId}/${topic}`
      drafts.delete(name)
      drafts.set(name, JSON.stringify(draft))
      const oldest = drafts.keys().next()
      if (drafts.size > TOPICS_MAX && oldest.done !== true) drafts.delete(oldest.value)
    },
  }
})
