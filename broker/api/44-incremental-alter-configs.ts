/**
 * IncrementalAlterConfigs v0-1, at the controller (KIP-339): sets (0), deletes (1), appends to (2) or subtracts from (3) single
 * settings of topics, of one broker, or of all brokers (""). A resource changes wholly or not at all; a dry run changes none.
 */
import { alterConfigs } from '../cluster/config-control.ts'
import { incrementalAlterConfigs } from './44-incremental-alter-configs.schema.ts'
import { alterAllowed, alterConfigsFailure } from './altered-configs.ts'
import { configRules } from './config-rules.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const incrementalAlterConfigsApi = defineApi(incrementalAlterConfigs, {
  listeners: 'everywhere',
  failure: alterConfigsFailure,
  handle(request, context, { controller, overrides }: Pick<ControllerServices, 'controller' | 'overrides'>) {
    const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      edits: configs.map(({ name, configOperation, value }) => ({ name, operation: configOperation, value })),
    }))
    const rules = configRules(overrides)
    const isRehearsal = request.validateOnly
    return alterAllowed(resources, context, (allowed) => controller.write((input) => alterConfigs(input, allowed, rules), { isRehearsal }))
  },
})
