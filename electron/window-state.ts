import { readFileSync, writeFileSync } from 'node:fs'

/** Where the window was, kept from one run to the next. */
export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface WindowState {
  readonly bounds: Rectangle | null
  readonly isMaximized: boolean
}

export const DEFAULT_SIZE = { width: 1280, height: 800 } as const
export const MINIMUM_SIZE = { width: 900, height: 600 } as const
/** So much of the title bar has to be on a screen for the window to be reachable. */
const reachable = { width: 120, height: 40 } as const
const nothing: WindowState = { bounds: null, isMaximized: false }

export function loadWindowState(path: string): WindowState {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<WindowState>
    return { bounds: isRectangle(value.bounds) ? value.bounds : null, isMaximized: value.isMaximized === true }
  } catch {
    // First run, or damaged: the window simply opens where it does by default.
    return nothing
  }
}

export function saveWindowState(path: string, state: WindowState): void {
  writeFileSync(path, JSON.stringify(state))
}

function isRectangle(value: unknown): value is Rectangle {
  if (typeof value !== 'object' || value === null) return false
  const { x, y, width, height } = value as Partial<Rectangle>
  return [x, y, width, height].every((side) => typeof side === 'number' && Number.isFinite(side))
}

/** `null` when the place is gone: a screen was unplugged since. */
export function fitToScreens(bounds: Rectangle | null, screens: readonly Rectangle[]): Rectangle | null {
  if (bounds === null) return null
  const width = Math.max(bounds.width, MINIMUM_SIZE.width)
  const height = Math.max(bounds.height, MINIMUM_SIZE.height)
  const isReachable = screens.some((screen) => {
    const overlapX = Math.min(bounds.x + width, screen.x + screen.width) - Math.max(bounds.x, screen.x)
    const isTitleVisible = bounds.y >= screen.y && bounds.y + reachable.height <= screen.y + screen.height
    return overlapX >= reachable.width && isTitleVisible
  })
  return isReachable ? { x: bounds.x, y: bounds.y, width, height } : null
}
