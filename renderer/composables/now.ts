import { readonly, ref, type Ref } from 'vue'

/** The present, once a second, shared by everything that says how long ago something was. */
const nowMs = ref(Date.now())
setInterval(() => (nowMs.value = Date.now()), 1000)

export function useNow(): Readonly<Ref<number>> {
  return readonly(nowMs)
}
