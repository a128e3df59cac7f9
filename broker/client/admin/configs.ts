/** Settings of topics, brokers and groups: described by whoever knows them, changed one by one. */
import { describeConfigs as describeConfigsApi } from '../../api/32-describe-configs.schema.ts'
import { incrementalAlterConfigs as incrementalAlterConfigsApi } from '../../api/44-incremental-alter-configs.schema.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { Decoded, Encodable } from '../../wire/schema.ts'
import type {
  Admin,
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  ConfigResourceType,
  ConfigResult,
  ConfigSource,
  DescribedConfigs,
} from '../admin-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import { BROKER_ATTEMPT_MS } from './fan-out.ts'
import { askController, errorOf } from './replies.ts'

const resourceTypes: Readonly<Record<ConfigResourceType, number>> = {
  topic: 2,
  broker: 4,
  'broker-logger': 8,
  'client-metrics': 16,
  group: 32,
}
const sources: readonly ConfigSource[] = [
  'unknown',
  'topic',
  'broker',
  'broker-default',
  'static',
  'default',
  'logger',
  'client-metrics',
  'group',
]
const operations: Readonly<Record<ConfigChange['operation'], number>> = { set: 0, delete: 1, append: 2, subtract: 3 }
const valueTypes = ['unknown', 'boolean', 'string', 'int', 'short', 'long', 'double', 'list', 'class', 'password']

type DescribeReply = Decoded<typeof describeConfigsApi.response>
type DescribableResource = Parameters<Admin['describeConfigs']>[0][number]
type AlterableResource = Parameters<Admin['incrementalAlterConfigs']>[0][number]

export async function describeConfigs(
  core: ClientCore,
  resources: readonly DescribableResource[],
  options: { readonly includeSynonyms?: boolean; readonly includeDocumentation?: boolean },
  call: Call,
): Promise<readonly DescribedConfigs[]> {
  const results = new Map<string, DescribedConfigs>()
  await Promise.all(
    Array.from(byBroker(resources), async ([nodeId, own]) => {
      const body: Encodable<typeof describeConfigsApi.request> = {
        resources: own.map(({ type, name, names }) => ({
          resourceType: resourceTypes[type],
          resourceName: name,
          configurationKeys: names ?? null,
        })),
        includeSynonyms: options.includeSynonyms ?? false,
        includeDocumentation: options.includeDocumentation ?? false,
      }
      const send = { isRepeatable: true, attemptMs: BROKER_ATTEMPT_MS }
      try {
        const reply =
          nodeId === null
            ? await core.requestAny(describeConfigsApi, body, call, send)
            : await core.requestNode(nodeId, describeConfigsApi, body, call, send)
        for (const resource of own) results.set(keyOf(resource), describedFrom(resource, reply))
      } catch (error) {
        const failure = ClientError.from(error)
        for (const resource of own) results.set(keyOf(resource), { type: resource.type, name: resource.name, entries: [], error: failure })
      }
    }),
  )
  if (call.signal?.aborted) call.check()
  return resources.map((resource) => results.get(keyOf(resource)) as DescribedConfigs)
}

export async function incrementalAlterConfigs(
  core: ClientCore,
  resources: readonly AlterableResource[],
  validateOnly: boolean,
  call: Call,
): Promise<readonly ConfigResult[]> {
  const results = new Map<string, ConfigResult>()
  await Promise.all(
    Array.from(byBroker(resources), async ([nodeId, own]) => {
      const body: Encodable<typeof incrementalAlterConfigsApi.request> = { resources: own.map(alterable), validateOnly }
      try {
        const reply =
          nodeId === null
            ? await askController(
                core,
                incrementalAlterConfigsApi,
                call,
                () => body,
                (answer) => answer.responses.map(({ errorCode }) => errorCode),
              )
            : await core.requestNode(nodeId, incrementalAlterConfigsApi, body, call)
        for (const resource of own) {
          const answer = reply.responses.find(
            ({ resourceType, resourceName }) => resourceType === resourceTypes[resource.type] && resourceName === resource.name,
          )
          results.set(keyOf(resource), {
            type: resource.type,
            name: resource.name,
            error: errorOf(answer, `Settings of ${label(resource)} were not changed`, incrementalAlterConfigsApi.name),
          })
        }
      } catch (error) {
        const failure = ClientError.from(error)
        for (const resource of own) results.set(keyOf(resource), { type: resource.type, name: resource.name, error: failure })
      }
    }),
  )
  if (call.signal?.aborted) call.check()
  return resources.map((resource) => results.get(keyOf(resource)) as ConfigResult)
}

/** A broker's own settings are known to that broker; everything else to any (`null`). */
function byBroker<R extends ConfigResource>(resources: readonly R[]): Map<number | null, R[]> {
  const groups = new Map<number | null, R[]>()
  for (const resource of resources) {
    const isOneBrokers = (resource.type === 'broker' || resource.type === 'broker-logger') && resource.name !== ''
    const nodeId = isOneBrokers ? Number(resource.name) : null
    if (nodeId !== null && !Number.isInteger(nodeId)) throw new ClientError('INVALID_ARGUMENT', `"${resource.name}" is no broker id.`)
    const list = groups.get(nodeId)
    if (list === undefined) groups.set(nodeId, [resource])
    else list.push(resource)
  }
  return groups
}

function alterable(resource: AlterableResource) {
  return {
    resourceType: resourceTypes[resource.type],
    resourceName: resource.name,
    configs: resource.changes.map(({ name, operation, value }) => ({ name, configOperation: operations[operation], value: value ?? null })),
  }
}

function describedFrom(resource: DescribableResource, reply: DescribeReply): DescribedConfigs {
  const { type, name } = resource
  const found = reply.results.find(({ resourceType, resourceName }) => resourceType === resourceTypes[type] && resourceName === name)
  return {
    type,
    name,
    entries: found === undefined || found.errorCode !== ErrorCode.NONE ? [] : found.configs.map(entryFrom),
    error: errorOf(found, `Settings of ${label(resource)} cannot be described`, describeConfigsApi.name),
  }
}

function entryFrom(config: DescribeReply['results'][number]['configs'][number]): ConfigEntry {
  return {
    name: config.name,
    value: config.value,
    source: sourceOf(config.configSource),
    isReadOnly: config.readOnly,
    isSensitive: config.isSensitive,
    type: valueTypes[config.configType] ?? 'unknown',
    documentation: config.documentation,
    synonyms: config.synonyms.map(({ name, value, source }) => ({ name, value, source: sourceOf(source) })),
  }
}

function sourceOf(code: number): ConfigSource {
  return sources[code] ?? 'unknown'
}

function label({ type, name }: ConfigResource): string {
  return name === '' ? `all ${type}s` : `${type} "${name}"`
}

function keyOf({ type, name }: ConfigResource): string {
  return `${type} ${name}`
}
