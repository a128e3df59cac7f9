/**
 * DeleteTopics v1-6, at the controller. v6 names topics by name or by id, never by both.
 *
 * A topic the client may not see is answered as if it did not exist when asked for by id, so that ids cannot be tried out.
 */
import { deleteTopics as decideDeletion, type DeleteTopicAnswer, type TopicSelector } from '../cluster/topic-control.ts'
import { AclOperation, ResourceType } from '../security/authorizer.ts'
import { ErrorCode } from '../wire/errors.ts'
import { ZERO_UUID, type Decoded, type Encodable } from '../wire/schema.ts'
import { deleteTopics } from './20-delete-topics.schema.ts'
import type { RequestContext } from './context.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

type Request = Decoded<typeof deleteTopics.request>
type Response = Encodable<typeof deleteTopics.response>

export const deleteTopicsApi = defineApi(deleteTopics, {
  listeners: 'everywhere',
  failure: deleteTopicsFailure,
  async handle(request, context, services: Pick<ControllerServices, 'controller' | 'image'>): Promise<Response> {
    const selected = selectorsOf(request).map((asked) => ({ asked, refusal: refusalOf(asked, context, services) }))
    const allowed = selected.flatMap(({ asked, refusal }) => (refusal === ErrorCode.NONE ? [selectorOf(asked)] : []))
    const answers = [...(await services.controller.write((input) => decideDeletion(input, allowed)))]
    const throttleTimeMs = context.quota('controllerMutations', allowed.length)
    const responses = selected.map(({ asked, refusal }) =>
      refusal === ErrorCode.NONE ? resultOf(answers.shift()!) : resultOfRefused(asked, refusal),
    )
    return { throttleTimeMs, responses }
  },
})

export function deleteTopicsFailure(request: Request, errorCode: ErrorCode): Response {
  return { throttleTimeMs: 0, responses: selectorsOf(request).map((asked) => resultOfRefused(asked, errorCode)) }
}

interface Asked {
  readonly name: string | null
  readonly topicId: string
}

function selectorsOf(request: Request): readonly Asked[] {
  return [...request.topics, ...request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))]
}

function selectorOf({ name, topicId }: Asked): TopicSelector {
  return name === null ? { id: topicId } : { name }
}

function refusalOf({ name, topicId }: Asked, context: RequestContext, { image }: Pick<ControllerServices, 'image'>): ErrorCode {
  if ((name === null) === (topicId === ZERO_UUID)) return ErrorCode.INVALID_REQUEST
  const topicName = name ?? image().topicById(topicId)?.name
  if (topicName === undefined) return ErrorCode.NONE
  if (name === null && !context.authorize(AclOperation.DESCRIBE, ResourceType.TOPIC, topicName)) return ErrorCode.UNKNOWN_TOPIC_ID
  return context.authorize(AclOperation.DELETE, ResourceType.TOPIC, topicName) ? ErrorCode.NONE : ErrorCode.TOPIC_AUTHORIZATION_FAILED
}

function resultOf(answer: DeleteTopicAnswer): Response['responses'][number] {
  const errorMessage = 'errorMessage' in answer ? answer.errorMessage : null
  return { name: answer.name, topicId: answer.topicId ?? ZERO_UUID, errorCode: answer.errorCode, errorMessage }
}

function resultOfRefused({ name, topicId }: Asked, errorCode: ErrorCode): Response['responses'][number] {
  return { name, topicId, errorCode, errorMessage: null }
}
