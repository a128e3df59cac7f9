/** The response that says a whole request failed, made from the schema where the API does not make it itself. */
import type { ApiDefinition } from '../api/registry.ts'
import type { ErrorCode } from '../wire/errors.ts'
import type { AnyType, Field, FieldMap } from '../wire/schema.ts'

/** `null` when the response has no place for an error. */
export function failureResponse(definition: ApiDefinition<never>, request: unknown, error: ErrorCode): unknown {
  if (definition.failure !== null) return definition.failure(request, error)
  const { fields } = definition.schema.response
  return 'errorCode' in fields ? { ...emptyStruct(fields), errorCode: error } : null
}

function emptyStruct(fields: FieldMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, emptyValue(field)]))
}

function emptyValue({ type, options }: Field): unknown {
  if ('default' in options) return options.default
  if (options.nullable === true) return null
  return emptyOf(type)
}

function emptyOf(type: AnyType): unknown {
  switch (type.kind) {
    case 'array':
      return []
    case 'struct':
      return emptyStruct((type as { fields: FieldMap }).fields)
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA'
    case 'bytes':
    case 'records':
      return Buffer.alloc(0)
    default:
      return 0
  }
}
