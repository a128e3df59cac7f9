import { describe, expect, it, vi } from 'vitest'
import { ResumableLink } from '../../../renderer/client/link.ts'
import { problemOf } from '../../../renderer/lib/problem.ts'

const options = { context: {} }
const answering = (answer: string) => ({ call: vi.fn(() => Promise.resolve(answer)) })

describe('the link to the host', () => {
  it('a call made before the first connection waits for it', async () => {
    const link = new ResumableLink()
    const call = link.call(['app', 'info'], undefined, options)
    link.attach(answering('one'))
    expect(await call).toBe('one')
  })

  it('a call made while the host is lost fails at once as HOST_LOST', async () => {
    const link = new ResumableLink()
    link.attach(answering('one'))
    link.detach()
    expect(link.state.value).toBe('disconnected')
    const error = await link.call(['app', 'info'], undefined, options).catch((thrown: unknown) => thrown)
    expect(problemOf(error).code).toBe('HOST_LOST')
  })

  it('waiting calls fail when the first connection does', async () => {
    const link = new ResumableLink()
    const call = link.call(['app', 'info'], undefined, options)
    link.detach()
    await expect(call).rejects.toThrow('host')
  })

  it('a new connection is used, and its number grows so that subscriptions open again', async () => {
    const link = new ResumableLink()
    link.attach(answering('one'))
    link.detach()
    link.attach(answering('two'))
    expect(link.epoch.value).toBe(2)
    expect(await link.call(['app', 'info'], undefined, options)).toBe('two')
  })
})
