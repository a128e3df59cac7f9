import { api, bytes, int16 } from '../wire/schema.ts'

/** A client's request forwarded to the controller by a broker, with the principal it came from. */
export const envelope = api({
  key: 58,
  name: 'Envelope',
  versions: '0',
  advertised: 'never',
  flexible: '0+',
  request: {
    requestData: bytes(),
    requestPrincipal: bytes({ nullable: true }),
    clientHostAddress: bytes(),
  },
  response: {
    responseData: bytes({ nullable: true, default: null }),
    errorCode: int16(),
  },
})
