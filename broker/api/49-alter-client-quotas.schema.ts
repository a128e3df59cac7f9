import { api, array, bool, float64, int16, int32, string } from '../wire/schema.ts'

const entity = {
  entityType: string(),
  entityName: string({ nullable: true }),
}

/** Sets quotas. v1: flexible. */
export const alterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: '0-1',
  advertised: '0-1',
  flexible: '1+',
  request: {
    entries: array({
      entity: array(entity),
      ops: array({
        key: string(),
        value: float64(),
        remove: bool(),
      }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    entries: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      entity: array(entity),
    }),
  },
})
