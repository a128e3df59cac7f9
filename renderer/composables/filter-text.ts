import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { debounce } from '../lib/debounce.ts'

const TYPING_PAUSE_MS = 120

/** What is typed, and what it has settled on: a question to the host is asked once typing pauses. */
export function useSettledText(typed: Ref<string>): Readonly<Ref<string>> {
  const settled = ref(typed.value)
  const settle = debounce((text: string) => (settled.value = text), TYPING_PAUSE_MS)
  watch(typed, (text) => settle(text))
  onScopeDispose(() => settle.cancel())
  return settled
}
