/**
 * Changing the settings of topics, of one broker, or of all brokers ("").
 *
 * The whole outcome is checked, not the single entry, since settings can contradict each other. What settings exist is not
 * known here: `ConfigRules` says.
 */
import { ErrorCode } from '../wire/errors.ts'
import { refusal, type Decision, type DecisionInput, type Refusal } from './decision.ts'
import { ConfigResourceType, type MetadataImage } from './image.ts'
import { configRecord, type MetadataRecord } from './metadata-records.ts'

export interface ConfigRules {
  /** Why these may not be the resource's settings, as a sentence naming the setting and what is allowed; null when they may. */
  problem(resourceType: ConfigResourceType, settings: ReadonlyMap<string, string>): string | null
  isList(resourceType: ConfigResourceType, name: string): boolean
  /** What append and subtract start from when the setting is not set. */
  defaultValue(resourceType: ConfigResourceType, name: string): string
}

/** Operations of IncrementalAlterConfigs. */
export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface ConfigEdit {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

export interface ConfigEdits {
  readonly resourceType: number
  readonly resourceName: string
  readonly edits: readonly ConfigEdit[]
}

export type ConfigAnswer = Refusal | { readonly errorCode: 0 }

/** KIP-339: changes what is named. Answers in the order of the request; each resource is changed wholly or not at all. */
export function alterConfigs(
  { image }: DecisionInput,
  resources: readonly ConfigEdits[],
  rules: ConfigRules,
): Decision<readonly ConfigAnswer[]> {
  return decideEach(resources, (resource) => {
    const checked = checkResource(image, resource)
    if ('errorMessage' in checked) return checked
    const { type } = checked
    const repeated = firstRepeated(resource.edits.map(({ name }) => name))
    if (repeated !== undefined)
      return refusal(ErrorCode.INVALID_REQUEST, `Setting ${repeated} appears more than once for the same resource.`)
    const before = image.configOf(type, resource.resourceName)
    const after = new Map(before)
    for (const edit of resource.edits) {
      const problem = applyEdit(type, after, edit, rules)
      if (problem !== null) return problem
    }
    return outcome(type, resource.resourceName, before, after, rules)
  })
}

/** The legacy call: what is not named is reset. */
export function replaceConfigs(
  { image }: DecisionInput,
  resources: readonly ConfigEdits[],
  rules: ConfigRules,
): Decision<readonly ConfigAnswer[]> {
  return decideEach(resources, (resource) => {
    const checked = checkResource(image, resource)
    if ('errorMessage' in checked) return checked
    const unset = resource.edits.find(({ value }) => value === null)
    if (unset !== undefined) return refusal(ErrorCode.INVALID_REQUEST, `The value of ${unset.name} must not be null.`)
    const after = new Map(resource.edits.map(({ name, value }) => [name, value ?? '']))
    return outcome(checked.type, resource.resourceName, image.configOf(checked.type, resource.resourceName), after, rules)
  })
}

function decideEach(
  resources: readonly ConfigEdits[],
  decide: (resource: ConfigEdits) => readonly MetadataRecord[] | Refusal,
): Decision<readonly ConfigAnswer[]> {
  const records: MetadataRecord[] = []
  const keys = resources.map(({ resourceType, resourceName }) => `${resourceType}/${resourceName}`)
  const answer = resources.map((resource, index): ConfigAnswer => {
    if (keys.indexOf(keys[index]!) !== keys.lastIndexOf(keys[index]!)) {
      return refusal(ErrorCode.INVALID_REQUEST, `The resource "${resource.resourceName}" appears more than once in the request.`)
    }
    const decided = decide(resource)
    if ('errorMessage' in decided) return decided
    records.push(...decided)
    return { errorCode: 0 }
  })
  return { records, answer }
}

function checkResource(image: MetadataImage, { resourceType, resourceName }: ConfigEdits): { readonly type: ConfigResourceType } | Refusal {
  if (resourceType === ConfigResourceType.TOPIC) {
    if (image.topic(resourceName) !== undefined) return { type: ConfigResourceType.TOPIC }
    return refusal(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${resourceName}' does not exist.`)
  }
  if (resourceType === ConfigResourceType.BROKER) {
    if (resourceName === '') return { type: ConfigResourceType.BROKER }
    if (!/^\d{1,10}$/.test(resourceName)) {
      return refusal(ErrorCode.INVALID_REQUEST, `A broker resource is named by its id, or "" for all brokers, not "${resourceName}".`)
    }
    if (image.broker(Number(resourceName)) !== undefined) return { type: ConfigResourceType.BROKER }
    return refusal(ErrorCode.BROKER_ID_NOT_REGISTERED, `Broker ${resourceName} is not registered.`)
  }
  return refusal(
    ErrorCode.INVALID_REQUEST,
    `Settings of resource type ${resourceType} cannot be changed here; 2 (topic) and 4 (broker) can.`,
  )
}

function applyEdit(
  type: ConfigResourceType,
  settings: Map<string, string>,
  { name, operation, value }: ConfigEdit,
  rules: ConfigRules,
): Refusal | null {
  switch (operation) {
    case ConfigOperation.DELETE:
      settings.delete(name)
      return null
    case ConfigOperation.SET:
      if (value === null)
        return refusal(ErrorCode.INVALID_REQUEST, `The value of ${name} must not be null; to go back to the default, delete it.`)
      settings.set(name, value)
      return null
    case ConfigOperation.APPEND:
    case ConfigOperation.SUBTRACT: {
      if (value === null) return refusal(ErrorCode.INVALID_REQUEST, `The value of ${name} must not be null.`)
      if (!rules.isList(type, name))
        return refusal(ErrorCode.INVALID_CONFIG, `${name} is not a list, so nothing can be appended to it or subtracted from it.`)
      settings.set(name, editList(settings.get(name) ?? rules.defaultValue(type, name), operation, value))
      return null
    }
    default:
      return refusal(ErrorCode.INVALID_REQUEST, `${operation} is no operation on a setting; 0 sets, 1 deletes, 2 appends, 3 subtracts.`)
  }
}

function editList(before: string, operation: number, value: string): string {
  const items = listOf(before)
  const named = listOf(value)
  const after =
    operation === ConfigOperation.APPEND
      ? [...items, ...named.filter((item) => !items.includes(item))]
      : items.filter((item) => !named.includes(item))
  return after.join(',')
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function outcome(
  type: ConfigResourceType,
  resourceName: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  rules: ConfigRules,
): readonly MetadataRecord[] | Refusal {
  const problem = rules.problem(type, after)
  if (problem !== null) return refusal(ErrorCode.INVALID_CONFIG, problem)
  const removed = [...before.keys()].filter((name) => !after.has(name)).map((name) => configRecord(type, resourceName, name, null))
  const changed = [...after]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => configRecord(type, resourceName, name, value))
  return [...removed, ...changed]
}

function firstRepeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index)
}
