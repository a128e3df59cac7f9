import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fitToScreens, loadWindowState, saveWindowState } from '../../../electron/window-state.ts'

const screen = { x: 0, y: 0, width: 1920, height: 1080 }
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-window-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a window goes where it was', () => {
  const bounds = { x: 100, y: 50, width: 1200, height: 800 }
  expect(fitToScreens(bounds, [screen])).toEqual(bounds)
})

test('a window whose screen is gone opens where windows do by default', () => {
  expect(fitToScreens({ x: 2500, y: 50, width: 1200, height: 800 }, [screen])).toBeNull()
  expect(fitToScreens({ x: 100, y: -300, width: 1200, height: 800 }, [screen])).toBeNull()
})

test('a window is never too small to use', () => {
  expect(fitToScreens({ x: 0, y: 0, width: 10, height: 10 }, [screen])).toMatchObject({ width: 900, height: 600 })
})

test('what was saved is loaded', () => {
  const path = join(folder, 'window.json')
  const state = { bounds: { x: 1, y: 2, width: 1000, height: 700 }, isMaximized: true }
  saveWindowState(path, state)
  expect(loadWindowState(path)).toEqual(state)
})

test.each(['', '{', 'null', '{"bounds":{"x":"left"}}'])('damaged state %j counts as none', async (content) => {
  const path = join(folder, 'window.json')
  await writeFile(path, content)
  expect(loadWindowState(path)).toEqual({ bounds: null, isMaximized: false })
})
