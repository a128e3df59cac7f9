import { expect, test } from 'vitest'
import { createStderrLogger } from '../../../broker/env/stderr-logger.ts'

function lines(minimumLevel?: 'debug' | 'info' | 'warn' | 'error') {
  const written: string[] = []
  const log = createStderrLogger({ minimumLevel, write: (line) => written.push(line) })
  return { log, written }
}

test('one line a call: time, level, message, key=value', () => {
  const { log, written } = lines()
  log.write('warn', 'a partition log went offline', { topic: 'orders', partition: 3, reason: 'no space left' })
  expect(written).toHaveLength(1)
  expect(written[0]).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN a partition log went offline topic=orders partition=3 reason="no space left"\n$/,
  )
})

test('what a client named cannot begin a new line', () => {
  const { log, written } = lines()
  log.write('info', 'first\nsecond', { clientId: 'x\n2026 ERROR forged' })
  expect(written.join('').match(/\n/g)).toHaveLength(1)
})

test('levels below the minimum are left out, errors show their message', () => {
  const { log, written } = lines('warn')
  log.write('info', 'quiet')
  log.write('error', 'loud', { error: new Error('disk on fire') })
  expect(written).toHaveLength(1)
  expect(written[0]).toContain('error="disk on fire"')
})

test('a value that cannot be shown does not throw', () => {
  const { log, written } = lines()
  const circular: Record<string, unknown> = {}
  circular.self = circular
  log.write('info', 'odd', { circular })
  expect(written[0]).toContain('circular="[unprintable]"')
})
