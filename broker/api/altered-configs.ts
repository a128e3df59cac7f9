/** What IncrementalAlterConfigs and AlterConfigs share: who may, and the shape of the answer. */
import type { ConfigAnswer, ConfigEdits } from '../cluster/config-control.ts'
import { ConfigResourceType } from '../cluster/image.ts'
import { AclOperation, CLUSTER_NAME, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import type { RequestContext } from './context.ts'

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

export interface AlteredConfigs {
  readonly throttleTimeMs: number
  readonly responses: readonly (Resource & { readonly errorCode: ErrorCode; readonly errorMessage: string | null })[]
}

/** Carries out the changes of those resources the client may change; answers all of them in the order of the request. */
export async function alterAllowed(
  resources: readonly ConfigEdits[],
  context: RequestContext,
  carryOut: (allowed: readonly ConfigEdits[]) => Promise<readonly ConfigAnswer[]>,
): Promise<AlteredConfigs> {
  const allowed = resources.filter((resource) => mayAlter(context, resource))
  const answers = await carryOut(allowed)
  const byResource = new Map(allowed.map((resource, index) => [resource, answers[index]!]))
  const responses = resources.map((resource) => {
    const { resourceType, resourceName } = resource
    const answer = byResource.get(resource)
    if (answer === undefined)
      return { resourceType, resourceName, errorCode: refusalCode(resource), errorMessage: 'Changing these settings is not allowed.' }
    return { resourceType, resourceName, errorCode: answer.errorCode, errorMessage: 'errorMessage' in answer ? answer.errorMessage : null }
  })
  return { throttleTimeMs: 0, responses }
}

export function alterConfigsFailure(request: { readonly resources: readonly Resource[] }, errorCode: ErrorCode): AlteredConfigs {
  const responses = request.resources.map(({ resourceType, resourceName }) => ({
    resourceType,
    resourceName,
    errorCode,
    errorMessage: null,
  }))
  return { throttleTimeMs: 0, responses }
}

function mayAlter(context: RequestContext, { resourceType, resourceName }: Resource): boolean {
  return resourceType === ConfigResourceType.TOPIC
    ? context.authorize(AclOperation.ALTER_CONFIGS, ResourceType.TOPIC, resourceName)
    : context.authorize(AclOperation.ALTER_CONFIGS, ResourceType.CLUSTER, CLUSTER_NAME)
}

function refusalCode({ resourceType }: Resource): ErrorCode {
  return resourceType === ConfigResourceType.TOPIC ? ErrorCode.TOPIC_AUTHORIZATION_FAILED : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}
