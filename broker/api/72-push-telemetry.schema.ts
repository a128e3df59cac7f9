import { api, bool, bytes, int16, int32, int8, uuid } from '../wire/schema.ts'

/** Metrics a client pushes. Not advertised: clients start to push as soon as they see it. */
export const pushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: '0',
  advertised: 'never',
  flexible: '0+',
  request: {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
  },
})
