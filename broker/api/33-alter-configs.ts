/**
 * AlterConfigs v0-2, at the controller: the older call, which replaces all settings of a resource: what is not named goes back
 * to its default. A dry run changes nothing.
 */
import { ConfigOperation, replaceConfigs } from '../cluster/config-control.ts'
import { alterConfigs } from './33-alter-configs.schema.ts'
import { alterAllowed, alterConfigsFailure } from './altered-configs.ts'
import { configRules } from './config-rules.ts'
import type { ControllerServices } from './controller-context.ts'
import { defineApi } from './registry.ts'

export const alterConfigsApi = defineApi(alterConfigs, {
  listeners: 'everywhere',
  failure: alterConfigsFailure,
  handle(request, context, { controller, overrides }: Pick<ControllerServices, 'controller' | 'overrides'>) {
    const resources = request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      edits: configs.map(({ name, value }) => ({ name, operation: ConfigOperation.SET, value })),
    }))
    const rules = configRules(overrides)
    const isRehearsal = request.validateOnly
    return alterAllowed(resources, context, (allowed) =>
      controller.write((input) => replaceConfigs(input, allowed, rules), { isRehearsal }),
    )
  },
})
