import { api, array, int16, int32, int8, string } from '../wire/schema.ts'

/** Creates access control entries. v2: flexible. */
export const createAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: '1-3',
  advertised: '1-3',
  flexible: '2+',
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
    }),
  },
})
