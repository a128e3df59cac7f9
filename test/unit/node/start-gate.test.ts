import { describe, expect, it } from 'vitest'
import { ConnectionRefused, type RequestHandling, type ServerConnection } from '../../../broker/net/types.ts'
import { createStartGate } from '../../../broker/node/start-gate.ts'

const on = (listenerName: string) => ({ listenerName }) as ServerConnection
const answer = (frame: Buffer): RequestHandling => ({ ordered: null, reply: { chunks: [frame] } })

describe('the start gate', () => {
  it('holds clients until it opens, in order, and lets nodes through', async () => {
    const seen: string[] = []
    const gate = createStartGate((frame) => {
      seen.push(String(frame))
      return answer(frame)
    })
    const first = gate.handler(Buffer.from('first'), on('CLIENT'))
    const second = gate.handler(Buffer.from('second'), on('CLIENT'))
    gate.handler(Buffer.from('internal'), on('INTERNAL'))
    expect(seen).toEqual(['internal'])
    gate.open()
    await Promise.all([first.ordered, second.ordered])
    expect(seen).toEqual(['internal', 'first', 'second'])
    expect(await first.reply).toEqual({ chunks: [Buffer.from('first')] })
    expect(gate.handler(Buffer.from('third'), on('CLIENT')).ordered).toBeNull()
  })

  it('refuses with the reply alone', async () => {
    const gate = createStartGate(() => {
      throw new ConnectionRefused('no')
    })
    const { ordered, reply } = gate.handler(Buffer.from('x'), on('CLIENT'))
    gate.open()
    await expect(reply).rejects.toThrow(ConnectionRefused)
    await expect(ordered).resolves.toBeUndefined()
  })
})
