import { ref, watch, type Ref } from 'vue'

/** Counts changes of a value after its first: a key that draws a mark anew, and 0 while there is nothing to mark. */
export function useChangeMark(value: () => unknown): Readonly<Ref<number>> {
  const changes = ref(0)
  watch(value, () => (changes.value += 1))
  return changes
}
