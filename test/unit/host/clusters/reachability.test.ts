import { describe, expect, test } from 'vitest'
import { ClientError, type ClientErrorCode } from '../../../../broker/client/error.ts'
import { parseBootstrapServers } from '../../../../broker/host/clusters/addresses.ts'
import { explainUnreachable } from '../../../../broker/host/clusters/reachability.ts'

describe('addresses', () => {
  test('are split, completed with the port and kept once each', () => {
    expect(parseBootstrapServers(['a:1, b', 'PLAINTEXT://c:3 a:1', '[::1]:9093'])).toEqual(['a:1', 'b:9092', 'c:3', '[::1]:9093'])
  })

  test.each(['a:0', 'a:65536', 'a:b', 'http://a:1', '::1', 'a b:-1', '-a:1', 'a/b:1'])('%s is refused by name', (typed) => {
    expect(() => parseBootstrapServers([typed])).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }))
  })

  test('none at all is refused', () => {
    expect(() => parseBootstrapServers([' ', ','])).toThrow(/No address was given/)
  })
})

describe('why a cluster does not answer', () => {
  const failure = (code: ClientErrorCode): ClientError => new ClientError(code, `${code} happened.`)

  test('the most telling of several answers is given', () => {
    const error = new ClientError('CLUSTER_UNREACHABLE', 'None answers.', {
      failures: [failure('HOST_NOT_FOUND'), failure('TLS_EXPECTED'), failure('CONNECTION_REFUSED')],
    })
    expect(explainUnreachable(error)).toMatchObject({
      reason: 'tls-or-sasl-expected',
      message: 'TLS_EXPECTED happened (3 addresses tried, none answers).',
    })
  })

  test.each([
    ['CONNECTION_REFUSED', 'refused'],
    ['HOST_NOT_FOUND', 'name-not-found'],
    ['CONNECT_TIMED_OUT', 'timed-out'],
    ['DEADLINE_EXCEEDED', 'timed-out'],
    ['NOT_KAFKA', 'not-kafka'],
    ['AUTHENTICATION_REQUIRED', 'tls-or-sasl-expected'],
    ['UNSUPPORTED_VERSION', 'version-unsupported'],
    ['CONNECTION_LOST', 'connection-lost'],
    ['INVALID_ARGUMENT', 'other'],
  ] as const)('%s is %s', (code, reason) => {
    const explained = explainUnreachable(failure(code))
    expect(explained.reason).toBe(reason)
    expect(explained.advice).not.toBe('')
  })

  test('a message that ends with a question is a statement here: the advice says what to look at', () => {
    const message = 'Nothing listens on [::1]:9 (connection refused). Is the broker running, and is the port right?'
    expect(explainUnreachable(new ClientError('CONNECTION_REFUSED', message)).message).toBe(
      'Nothing listens on [::1]:9 (connection refused).',
    )
  })
})
