import { computed, ref, watchEffect, type ComputedRef, type Ref } from 'vue'

export type ThemeChoice = 'system' | 'light' | 'dark'

const STORAGE_KEY = 'weir.theme'
const choices: readonly string[] = ['system', 'light', 'dark']

const choice = ref<ThemeChoice>(initialChoice())
const systemDark = ref(prefersDark().matches)
prefersDark().addEventListener('change', (event) => (systemDark.value = event.matches))

const resolved = computed(() => (choice.value === 'system' ? (systemDark.value ? 'dark' : 'light') : choice.value))

watchEffect(() => {
  document.documentElement.classList.toggle('dark', resolved.value === 'dark')
  document.documentElement.classList.toggle('light', resolved.value === 'light')
})

function prefersDark(): MediaQueryList {
  return window.matchMedia('(prefers-color-scheme: dark)')
}

function askedByAddress(): string | null {
  return new URLSearchParams(window.location.search).get('theme')
}

/** `?theme=light` in the address wins, for pictures and links; then what was chosen here before. */
function initialChoice(): ThemeChoice {
  const asked = askedByAddress() ?? localStorage.getItem(STORAGE_KEY)
  return asked !== null && choices.includes(asked) ? (asked as ThemeChoice) : 'system'
}

export interface Theme {
  choice: Readonly<Ref<ThemeChoice>>
  resolved: ComputedRef<'light' | 'dark'>
  choose: (next: ThemeChoice) => void
  /** Dark to light and back; what was chosen, to be remembered by the host too. */
  toggle: () => 'light' | 'dark'
  /** Takes over what the host remembers, unless the address asks for a theme. */
  adopt: (next: ThemeChoice) => void
}

/** Dark or light: as the system says, or as chosen; remembered here too, so that the first paint is right. */
export function useTheme(): Theme {
  const choose = (next: ThemeChoice): void => {
    choice.value = next
    localStorage.setItem(STORAGE_KEY, next)
  }
  const toggle = (): 'light' | 'dark' => {
    const next = resolved.value === 'dark' ? 'light' : 'dark'
    choose(next)
    return next
  }
  return { choice, resolved, choose, toggle, adopt: (next) => void (askedByAddress() === null && choose(next)) }
}
