import { describe, expect, it } from 'vitest'
import { SerialWork } from '../../../broker/node/serial-work.ts'

describe('serial work', () => {
  it('runs what concerns one key in order and without overlap', async () => {
    const work = new SerialWork(8)
    const steps: string[] = []
    const job = (name: string) => async () => {
      steps.push(`${name} begins`)
      await Promise.resolve()
      steps.push(`${name} ends`)
    }
    void work.add('a', job('first'))
    void work.add('a', job('second'))
    await work.idle()
    expect(steps).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
  })

  it('never runs more than its bound at a time, and everything in the end', async () => {
    const work = new SerialWork(3)
    let running = 0
    let peak = 0
    let done = 0
    for (let key = 0; key < 50; key++) {
      void work.add(String(key), async () => {
        peak = Math.max(peak, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        done++
      })
    }
    await work.idle()
    expect(peak).toBe(3)
    expect(done).toBe(50)
  })

  it('waits for work that other work adds', async () => {
    const work = new SerialWork(1)
    let followed = false
    void work.add('a', async () => {
      void work.add('b', async () => {
        followed = true
      })
    })
    await work.idle()
    expect(followed).toBe(true)
  })
})
