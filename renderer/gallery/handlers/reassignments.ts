import { electionPreview, electionResult, limitChange, reassignmentPreview, reassignmentState } from '../fixtures/reassignments.ts'
import type { World } from '../fixtures/world.ts'
import type { Implementer } from '../implementer.ts'
import { streamed } from '../stream.ts'
import { missing } from './cluster.ts'

export function reassignmentHandlers(os: Implementer, world: World) {
  const state = (topic: string | null) => reassignmentState(world, topic, Date.now())
  return {
    elections: {
      preview: os.elections.preview.handler(({ input }) => electionPreview(world, input.topic, Date.now())),
      run: os.elections.run.handler(({ input }) => electionResult(world, input.topic)),
    },
    reassignments: {
      preview: os.reassignments.preview.handler(({ input }) => reassignmentPreview(world, input.goal)),
      start: os.reassignments.start.handler(() => state('orders').run ?? missing('TOPIC_NOT_FOUND', 'topic orders')),
      setLimit: os.reassignments.setLimit.handler(() => limitChange(world)),
      cancel: os.reassignments.cancel.handler(() => ({ cancelledCount: 7, activityId: 106 })),
      dismiss: os.reassignments.dismiss.handler(() => null),
      watch: os.reassignments.watch.handler(({ input, signal }) => streamed(() => state(input.topic), 1_000, signal)),
    },
  }
}
