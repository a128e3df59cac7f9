import { createRouterClient } from '@orpc/server'
import { ref } from 'vue'
import { defaultAppSettings } from '../../broker/contract/settings.ts'
import type { HostConnection } from '../client/host.ts'
import type { ConnectionState } from '../client/link.ts'
import { createWorld } from './fixtures/world.ts'
import { clusterHandlers } from './handlers/cluster.ts'
import { groupHandlers } from './handlers/groups.ts'
import { messageHandlers } from './handlers/messages.ts'
import { reassignmentHandlers } from './handlers/reassignments.ts'
import { topicHandlers } from './handlers/topics.ts'
import { createImplementer } from './implementer.ts'
import { isScene, type Scene } from './scenes.ts'
import { streamed } from './stream.ts'

/** A host made of fixtures, behind the same contract as the real one and checked by it. The scene decides what it answers: everything, nothing yet, only failures. */
const DISCONNECT_AFTER_MS = 1_500

export function createStandInHost(sceneName: string): HostConnection {
  const scene: Scene = isScene(sceneName) ? sceneName : 'populated'
  const state = ref<ConnectionState>('connected')
  const epoch = ref(1)
  if (scene === 'disconnected') setTimeout(() => (state.value = 'disconnected'), DISCONNECT_AFTER_MS)
  return { client: createRouterClient(createRouter(scene)), state, epoch }
}

function createRouter(scene: Scene) {
  const world = createWorld(scene, Date.now())
  let settings = { ...defaultAppSettings }
  const os = createImplementer(scene)
  return os.router({
    app: {
      info: os.app.info.handler(() => ({
        version: '0.1.0',
        pid: 20_000,
        startedMs: world.startedMs,
        platform: 'linux',
        dataDirectory: '/home/ada/.local/share/weir',
        defaultClusterId: 'local',
      })),
      acknowledge: os.app.acknowledge.handler(() => null),
    },
    settings: {
      get: os.settings.get.handler(() => settings),
      watch: os.settings.watch.handler(({ signal }) => streamed(() => settings, 500, signal)),
      change: os.settings.change.handler(({ input }) => (settings = { ...settings, ...input })),
      listFilters: os.settings.listFilters.handler(() => []),
      saveFilter: os.settings.saveFilter.handler(({ input }) => ({ id: 1, savedMs: Date.now(), ...input })),
      removeFilter: os.settings.removeFilter.handler(() => null),
    },
    ...clusterHandlers(os, world),
    ...topicHandlers(os, world),
    ...reassignmentHandlers(os, world),
    ...messageHandlers(os, world),
    ...groupHandlers(os, world),
  })
}
