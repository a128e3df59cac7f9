/**
 * Changing the settings of topics, of one broker, or of all brokers ("").
 *
 * The whole outcome is checked, not the single entry, since settings can contradict each other. What settings exist is not
 * known here: `ConfigRules` says.
 */
import { ErrorCode } from '../wire/errors.ts'
import { applyRecords } from './apply-records.ts'
import { refusal, type Decision, type DecisionInput, type Refusal } from './decision.ts'
import { ConfigResourceType, type MetadataImage } from './image.ts'
import { configRecord, type MetadataRecord } from './metadata-records.ts'
import { endEligibility, keepsEligibleReplicas, MIN_INSYNC_REPLICAS } from './partition-change.ts'

const CONFIG_VALUE_BYTES_MAX = 32_767

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
  input: DecisionInput,
  resources: readonly ConfigEdits[],
  rules: ConfigRules,
): Decision<readonly ConfigAnswer[]> {
  const { image } = input
  return decideEach(input, resources, (resource) => {
    const checked = checkResource(image, resource)
    if ('errorMessage' in checked) return checked
    const { type } = checked
    const [repeated] = repeatedOf(resource.edits.map(({ name }) => name))
    if (repeated !== undefined)
      return refusal(ErrorCode.INVALID_REQUEST, `Setting ${repeated} appears more than once for the same resource.`)
    const before = image.configOf(type, resource.resourceName)
    const after = new Map(before)
    for (const edit of resource.edits) {
      const problem = applyEdit(type, after, edit, rules)
      if (problem !== null) return problem
    }
    return outcome(image, { type, name: resource.resourceName }, { before, after }, rules)
  })
}

/** The legacy call: what is not named is reset. */
export function replaceConfigs(
  input: DecisionInput,
  resources: readonly ConfigEdits[],
  rules: ConfigRules,
): Decision<readonly ConfigAnswer[]> {
  const { image } = input
  return decideEach(input, resources, (resource) => {
    const checked = checkResource(image, resource)
    if ('errorMessage' in checked) return checked
    const unset = resource.edits.find(({ value }) => value === null)
    if (unset !== undefined) return refusal(ErrorCode.INVALID_REQUEST, `The value of ${unset.name} must not be null.`)
    const after = new Map(resource.edits.map(({ name, value }) => [name, value ?? '']))
    const { type } = checked
    const before = image.configOf(type, resource.resourceName)
    // Written by the controller itself, so a client that knows nothing of it does not mean to remove it.
    const minimum = before.get(MIN_INSYNC_REPLICAS)
    const isOwn = type === ConfigResourceType.BROKER && resource.resourceName === '' && keepsEligibleReplicas(image)
    if (isOwn && minimum !== undefined && !after.has(MIN_INSYNC_REPLICAS)) after.set(MIN_INSYNC_REPLICAS, minimum)
    return outcome(image, { type, name: resource.resourceName }, { before, after }, rules)
  })
}

function decideEach(
  { image, nextOffset }: DecisionInput,
  resources: readonly ConfigEdits[],
  decide: (resource: ConfigEdits) => readonly MetadataRecord[] | Refusal,
): Decision<readonly ConfigAnswer[]> {
  const records: MetadataRecord[] = []
  const keys = resources.map(({ resourceType, resourceName }) => `${resourceType}/${resourceName}`)
  const repeated = repeatedOf(keys)
  const answer = resources.map((resource, index): ConfigAnswer => {
    if (repeated.has(keys[index]!)) {
      return refusal(ErrorCode.INVALID_REQUEST, `The resource "${resource.resourceName}" appears more than once in the request.`)
    }
    const decided = decide(resource)
    if ('errorMessage' in decided) return decided
    for (const record of decided) records.push(record)
    return { errorCode: 0 }
  })
  if (!records.some((record) => record.type === 4 && record.value.name === MIN_INSYNC_REPLICAS)) return { records, answer }
  const { image: after } = applyRecords(image, records, { offset: nextOffset + records.length - 1, epoch: image.epoch })
  return { records: [...records, ...endEligibility(after)], answer }
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
  const items = new Set(listOf(before))
  const named = new Set(listOf(value))
  const after = operation === ConfigOperation.APPEND ? [...items.union(named)] : [...items.difference(named)]
  return after.join(',')
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** As Kafka limits them. A sentence, or null when every value fits into a ConfigRecord. */
export function lengthProblem(settings: ReadonlyMap<string, string>): string | null {
  for (const [name, value] of settings) {
    const bytes = Buffer.byteLength(value)
    if (bytes > CONFIG_VALUE_BYTES_MAX) return `The value of ${name} has ${bytes} bytes; allowed are ${CONFIG_VALUE_BYTES_MAX} at most.`
  }
  return null
}

function outcome(
  image: MetadataImage,
  { type, name: resourceName }: { readonly type: ConfigResourceType; readonly name: string },
  { before, after }: { readonly before: ReadonlyMap<string, string>; readonly after: ReadonlyMap<string, string> },
  rules: ConfigRules,
): readonly MetadataRecord[] | Refusal {
  const problem = lengthProblem(after) ?? rules.problem(type, after) ?? minInsyncProblem(image, type, resourceName, after)
  if (problem !== null) return refusal(ErrorCode.INVALID_CONFIG, problem)
  const removed = [...before.keys()].filter((name) => !after.has(name)).map((name) => configRecord(type, resourceName, name, null))
  const changed = [...after]
    .filter(([name, value]) => before.get(name) !== value)
    .map(([name, value]) => configRecord(type, resourceName, name, value))
  return [...removed, ...changed]
}

/** Who may lead is decided by this setting, so with eligible leader replicas the controller must know what every broker goes by. */
function minInsyncProblem(
  image: MetadataImage,
  type: ConfigResourceType,
  resourceName: string,
  after: ReadonlyMap<string, string>,
): string | null {
  if (type !== ConfigResourceType.BROKER || !keepsEligibleReplicas(image)) return null
  const isSet = after.has(MIN_INSYNC_REPLICAS)
  if (resourceName !== '' && isSet) return `${MIN_INSYNC_REPLICAS} can be set for topics and for all brokers, not for one broker.`
  const wasSet = image.configOf(type, '').has(MIN_INSYNC_REPLICAS)
  return resourceName === '' && wasSet && !isSet ? `${MIN_INSYNC_REPLICAS} of all brokers can be changed, not removed.` : null
}

/** In the order of the second occurrences. One pass: a request may name millions. */
function repeatedOf(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  return new Set(names.filter((name) => seen.size === seen.add(name).size))
}
