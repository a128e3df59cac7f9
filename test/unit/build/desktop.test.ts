import { expect, test } from 'vitest'
import { findDesktop } from '../../../build/desktop.ts'

test('where the browser is asked for, the reason there is no window is that', async () => {
  expect(await findDesktop({ WEIR_CONSOLE: 'browser', DISPLAY: ':0' })).toEqual({ missing: expect.stringContaining('WEIR_CONSOLE') })
})

test.runIf(process.platform === 'linux')('without a display no window is tried and nothing is fetched', async () => {
  expect(await findDesktop({})).toEqual({ missing: 'there is no display' })
})
