import { expect, test } from 'vitest'
import { createRealTransport } from '../../../broker/env/real-transport.ts'
import type { Connection } from '../../../broker/env/types.ts'

const transport = createRealTransport()

function collect(connection: Connection): { readonly bytes: Promise<Buffer>; readonly closed: Promise<void> } {
  const chunks: Buffer[] = []
  const done = Promise.withResolvers<void>()
  connection.setHandlers({ onData: (chunk) => chunks.push(chunk), onClose: () => done.resolve() })
  return { closed: done.promise, bytes: done.promise.then(() => Buffer.concat(chunks)) }
}

test('bytes sent before the other side listens are held back, not lost', async () => {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
  const client = await transport.connect(listener.address, { timeoutMs: 5000 })
  client.write([Buffer.from('he'), Buffer.from('llo')])
  client.end()
  const server = await accepted.promise
  const received = collect(server)
  expect((await received.bytes).toString()).toBe('hello')
  const closed = collect(client)
  server.end()
  await closed.closed
  await listener.close()
})

test('a taken port is refused with EADDRINUSE', async () => {
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (connection) => connection.destroy())
  await expect(transport.listen(listener.address, () => undefined)).rejects.toMatchObject({
    name: 'TransportError',
    code: 'EADDRINUSE',
  })
  await listener.close()
})

test('a port nobody listens on is refused with ECONNREFUSED', async () => {
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, () => undefined)
  const { address } = listener
  await listener.close()
  await expect(transport.connect(address, { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('destroying one side closes the other exactly once', async () => {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
  const client = await transport.connect(listener.address, { timeoutMs: 5000 })
  let closes = 0
  const closed = Promise.withResolvers<void>()
  const server = await accepted.promise
  server.setHandlers({
    onData: () => undefined,
    onClose: () => {
      closes++
      closed.resolve()
    },
  })
  client.destroy()
  await closed.promise
  await listener.close()
  expect(closes).toBe(1)
})
