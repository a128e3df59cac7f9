import { api, array, int16, int32, string } from '../wire/schema.ts'

/** Groups this broker coordinates. v3: flexible. v4: filter by state. v5: filter by type. */
export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: '0-5',
  advertised: '0-5',
  flexible: '3+',
  request: {
    statesFilter: array(string(), { versions: '4+' }),
    typesFilter: array(string(), { versions: '5+' }),
  },
  response: {
    throttleTimeMs: int32({ versions: '1+' }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ versions: '4+' }),
      groupType: string({ versions: '5+' }),
    }),
  },
})
