import { useToast } from '@nuxt/ui/composables'
import { ref, type Ref } from 'vue'

const COPIED_SHOWN_MS = 1500
const copiedText = ref<string | null>(null)
let clearTimer: ReturnType<typeof setTimeout> | undefined

/** Copying with an answer: the button that was pressed shows it, and a toast says what was copied. */
export function useClipboard(): { copy: (text: string, what: string) => Promise<void>; copiedText: Readonly<Ref<string | null>> } {
  const toast = useToast()
  return {
    copiedText,
    async copy(text, what) {
      try {
        await writeText(text)
        copiedText.value = text
        clearTimeout(clearTimer)
        clearTimer = setTimeout(() => (copiedText.value = null), COPIED_SHOWN_MS)
        toast.add({
          id: 'copied',
          title: `Copied ${what}`,
          description: text.length > 120 ? `${text.slice(0, 119)}…` : text,
          icon: 'i-lucide-clipboard-check',
          duration: 2500,
        })
      } catch (error) {
        toast.add({
          title: `Could not copy ${what}`,
          description: error instanceof Error ? error.message : String(error),
          color: 'error',
          icon: 'i-lucide-clipboard-x',
        })
      }
    },
  }
}

/** The clipboard API needs a secure context; a page served from another machine's address falls back to a selection. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.style.position = 'fixed'
  document.body.append(area)
  area.select()
  const copied = document.execCommand('copy')
  area.remove()
  if (!copied) throw new Error('The browser refused access to the clipboard.')
}
