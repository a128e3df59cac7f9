import { api, bytes, int16, int64, string } from '../wire/schema.ts'

/** One step of a SASL exchange. v1: session lifetime. v2: flexible. */
export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: '0-2',
  advertised: '0-2',
  flexible: '2+',
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ versions: '1+' }),
  },
})
