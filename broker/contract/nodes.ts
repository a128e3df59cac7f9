/** The processes of an embedded cluster: every broker and controller, started, stopped and broken one by one. */
import { type } from '@orpc/contract'
import * as v from 'valibot'
import { procedure } from './base.ts'
import { clusterId, ofCluster } from './common.ts'
import { streamOf } from './stream.ts'

/**
 * `starting -> running -> stopping -> stopped -> starting`; `running -> paused -> running` (frozen, SIGSTOP);
 * any state with a process `-> crashed` when it ended and was not asked to (killed, or by its own fault).
 */
export type NodeState = 'starting' | 'running' | 'paused' | 'stopping' | 'stopped' | 'crashed'

export interface NodeView {
  readonly id: number
  /** Brokers have ids from 1, controllers from 1001. */
  readonly role: 'broker' | 'controller'
  readonly state: NodeState
  /** When it entered `state`. */
  readonly sinceMs: number
  /** `null` when no process runs. */
  readonly pid: number | null
  /** Of the CLIENT listener for a broker; `null` until it listens. */
  readonly port: number | null
  /** How the last process ended; `null` while the first one lives. */
  readonly exit: { readonly code: number | null; readonly signal: string | null; readonly atMs: number; readonly reason: string } | null
}

const ofNode = v.object({ clusterId, nodeId: v.pipe(v.number(), v.integer(), v.minValue(0)) })

/**
 * All calls reject with `CLUSTER_NOT_EMBEDDED` on remote clusters, and `NODE_STATE_CONFLICT` when the state does not allow
 * it. Actions resolve when the wished state is reached, at most 30 s; `watch` shows the way there.
 */
export const nodesContract = {
  list: procedure.input(ofCluster).output(type<readonly NodeView[]>()),
  /** Controllers and brokers by id; an event within milliseconds of each change of state. */
  watch: procedure.input(ofCluster).output(streamOf<readonly NodeView[]>()),
  start: procedure.input(ofNode).output(type<NodeView>()),
  /** Cleanly: leadership is handed over first. */
  stop: procedure.input(ofNode).output(type<NodeView>()),
  /** SIGKILL: nothing is flushed, nothing is handed over. */
  kill: procedure.input(ofNode).output(type<NodeView>()),
  restart: procedure.input(ofNode).output(type<NodeView>()),
  /** Freezes the process (SIGSTOP): its connections stay open and nothing answers. */
  pause: procedure.input(ofNode).output(type<NodeView>()),
  resume: procedure.input(ofNode).output(type<NodeView>()),
}
