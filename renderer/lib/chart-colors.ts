/** Colours of series, distinguishable in both themes and to colour-blind eyes; none of them is the green, amber or red that means health. */
const palette = ['#3b9bdc', '#b279d6', '#2fb5b0', '#d6799e', '#8a93e8', '#a9905f', '#6fa8a0', '#c58b6b', '#7f8fa6', '#9cb34f'] as const

export function seriesColor(index: number): string {
  return palette[index % palette.length] as string
}

export function chartColors(): { text: string; grid: string } {
  const style = getComputedStyle(document.documentElement)
  return { text: style.getPropertyValue('--ui-text-dimmed').trim(), grid: style.getPropertyValue('--ui-border-muted').trim() }
}
