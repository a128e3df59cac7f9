import { api, array, int16, string } from '../wire/schema.ts'

/** Chooses the SASL mechanism. v0: raw tokens follow; v1: SaslAuthenticate follows. */
export const saslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  advertised: '0-1',
  flexible: 'none',
  request: {
    mechanism: string(),
  },
  response: {
    errorCode: int16(),
    mechanisms: array(string()),
  },
})
