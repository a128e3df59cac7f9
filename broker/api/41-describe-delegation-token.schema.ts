import { api, array, bytes, int16, int32, int64, string } from '../wire/schema.ts'

const owner = {
  principalType: string(),
  principalName: string(),
}

/** Lists delegation tokens. v2: flexible. v3: requester. */
export const describeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: '1-3',
  advertised: '1-3',
  flexible: '2+',
  request: {
    owners: array(owner, { nullable: true }),
  },
  response: {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string({ versions: '3+' }),
      tokenRequesterPrincipalName: string({ versions: '3+' }),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array(owner),
    }),
    throttleTimeMs: int32(),
  },
})
