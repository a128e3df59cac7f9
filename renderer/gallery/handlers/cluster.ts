import { ORPCError } from '@orpc/server'
import type { TimelineInput } from '../../../broker/contract/activity.ts'
import type { NodeState, NodeView } from '../../../broker/contract/nodes.ts'
import { activity, connections, overview, sampleState, truckPositions } from '../fixtures/overview.ts'
import { series } from '../fixtures/groups.ts'
import { replicaPage } from '../fixtures/replicas.ts'
import { clusterEvents, eventPartitions, matchesTimeline, timelineMarks, timelineRows } from '../fixtures/timeline.ts'
import { topicSettings } from '../fixtures/topics.ts'
import type { World } from '../fixtures/world.ts'
import { pageOf } from '../page.ts'
import { streamed } from '../stream.ts'
import type { Implementer } from '../implementer.ts'

const SETTLE_MS = 300

export function clusterHandlers(os: Implementer, world: World) {
  return {
    clusters: {
      list: os.clusters.list.handler(() => world.clusters),
      watch: os.clusters.watch.handler(({ signal }) => streamed(() => world.clusters, 1_000, signal)),
      test: os.clusters.test.handler(({ input }) => connectionTest(input.bootstrapServers[0] ?? '')),
      add: os.clusters.add.handler(({ input }) => {
        const cluster = {
          ...world.clusters[0],
          ...input,
          id: input.name.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
          kind: 'remote' as const,
          state: { status: 'connecting' as const, sinceMs: Date.now() },
          kafkaClusterId: null,
          brokerCount: null,
        }
        world.clusters = [...world.clusters, cluster]
        return cluster
      }),
      update: os.clusters.update.handler(({ input }) => {
        world.clusters = world.clusters.map((cluster) =>
          cluster.id === input.clusterId
            ? { ...cluster, readOnly: input.readOnly ?? cluster.readOnly, name: input.name ?? cluster.name }
            : cluster,
        )
        return world.clusters.find((cluster) => cluster.id === input.clusterId) ?? missing('CLUSTER_NOT_FOUND', input.clusterId)
      }),
      remove: os.clusters.remove.handler(({ input }) => {
        world.clusters = world.clusters.filter((cluster) => cluster.id !== input.clusterId)
        return null
      }),
      reconnect: os.clusters.reconnect.handler(
        ({ input }) => world.clusters.find((cluster) => cluster.id === input.clusterId) ?? missing('CLUSTER_NOT_FOUND', input.clusterId),
      ),
    },
    overview: {
      get: os.overview.get.handler(({ input }) => overview(world, input.clusterId, Date.now())),
      watch: os.overview.watch.handler(({ input, signal }) => streamed(() => overview(world, input.clusterId, Date.now()), 700, signal)),
      history: os.overview.history.handler(({ input }) =>
        world.scene === 'empty'
          ? []
          : [
              series('records in', 'records/s', input, 420, 1),
              series('bytes in', 'bytes/s', input, 92_000, 2),
              series('total lag', 'records', input, 9_000, 3),
            ],
      ),
    },
    brokers: {
      watchReplicas: os.brokers.watchReplicas.handler(({ input, signal }) => {
        const topic = world.topics.find((candidate) => candidate.name === input.topic) ?? missing('TOPIC_NOT_FOUND', `topic ${input.topic}`)
        return streamed(() => replicaPage(world, topic, input, Date.now()), 400, signal)
      }),
      describe: os.brokers.describe.handler(({ input }) => {
        const broker = overview(world, 'local', Date.now()).brokers.find((candidate) => candidate.id === input.brokerId)
        if (broker === undefined) return missing('NODE_NOT_FOUND', `broker ${input.brokerId}`)
        const directory = {
          path: `/home/ada/.local/share/weir/local/broker-${broker.id}`,
          bytes: broker.bytes ?? 0,
          replicaCount: broker.replicaCount,
          totalBytes: 512_110_190_592,
          freeBytes: 120_259_084_288,
          error: null,
        }
        return {
          broker,
          logDirectories: broker.isAlive ? [directory] : null,
          settings: broker.isAlive ? topicSettings() : null,
          gaps: broker.isAlive ? [] : [`Broker ${broker.id} did not answer.`],
        }
      }),
    },
    nodes: {
      list: os.nodes.list.handler(() => world.nodes),
      watch: os.nodes.watch.handler(({ signal }) => streamed(() => world.nodes, 150, signal)),
      start: os.nodes.start.handler(({ input }) => settle(world, input.nodeId, 'starting', 'running')),
      stop: os.nodes.stop.handler(({ input }) => settle(world, input.nodeId, 'stopping', 'stopped')),
      kill: os.nodes.kill.handler(({ input }) => settle(world, input.nodeId, 'running', 'crashed')),
      restart: os.nodes.restart.handler(({ input }) => settle(world, input.nodeId, 'stopping', 'running')),
      pause: os.nodes.pause.handler(({ input }) => settle(world, input.nodeId, 'running', 'paused')),
      resume: os.nodes.resume.handler(({ input }) => settle(world, input.nodeId, 'paused', 'running')),
    },
    connections: { watch: os.connections.watch.handler(({ signal }) => streamed(() => connections(world, Date.now()), 1_000, signal)) },
    activity: {
      list: os.activity.list.handler(({ input }) => activityPage(world, input)),
      timeline: os.activity.timeline.handler(({ input }) => timelinePage(world, input)),
      watchTimeline: os.activity.watchTimeline.handler(({ input, signal }) => streamed(() => timelinePage(world, input), 2_000, signal)),
      watchMarks: os.activity.watchMarks.handler(({ input, signal }) =>
        streamed(() => timelineMarks(timelineRows(world, world.madeMs), input, world.madeMs), 5_000, signal),
      ),
      eventPartitions: os.activity.eventPartitions.handler(({ input }) =>
        eventPartitions(clusterEvents(world, world.madeMs).find((event) => event.id === input.eventId)),
      ),
      previewUndo: os.activity.previewUndo.handler(({ input }) => ({
        id: input.id,
        summary: 'Sets retention.ms of trucks_gps back to 604800000.',
        changes: [{ what: 'retention.ms', before: '86400000', after: '604800000' }],
        blocker: null,
      })),
      undo: os.activity.undo.handler(({ input }) => ({ activityId: input.id + 1 })),
    },
    sample: sampleHandlers(os, world),
    search: {
      find: os.search.find.handler(({ input }) => {
        const wanted = input.text.toLowerCase()
        const hit = (kind: 'topic' | 'group' | 'broker', name: string, hint: string) => ({
          kind,
          clusterId: 'local',
          clusterName: 'local',
          name,
          hint,
        })
        return [
          ...world.topics.map((topic) => hit('topic', topic.name, `${topic.partitionCount} partitions`)),
          ...world.groups.map((group) => hit('group', group.groupId, `${group.state}, ${group.memberCount ?? 0} members`)),
          ...world.nodes.filter((node) => node.role === 'broker').map((node) => hit('broker', String(node.id), node.state)),
        ]
          .filter((found) => found.name.toLowerCase().includes(wanted))
          .slice(0, input.count)
      }),
    },
  }
}

function sampleHandlers(os: Implementer, world: World) {
  let running = world.scene !== 'empty'
  const state = () => sampleState(world, running)
  return {
    start: os.sample.start.handler(() => ((running = true), state())),
    stop: os.sample.stop.handler(() => ((running = false), state())),
    setSpeed: os.sample.setSpeed.handler(state),
    setConsumerPace: os.sample.setConsumerPace.handler(state),
    watch: os.sample.watch.handler(({ signal }) => streamed(state, 500, signal)),
    positions: os.sample.positions.handler(({ signal }) => streamed(() => truckPositions(Date.now()), 250, signal)),
  }
}

function activityPage(world: World, input: { kind: 'change' | 'event' | null; filter: string; from: number; count: number }) {
  const rows = activity(world, Date.now())
  const wanted = input.filter.toLowerCase()
  const matching = rows.filter(
    (row) => (input.kind === null || row.kind === input.kind) && `${row.subject} ${row.summary}`.toLowerCase().includes(wanted),
  )
  return pageOf(matching, rows.length, input)
}

function timelinePage(world: World, input: TimelineInput) {
  const rows = timelineRows(world, world.madeMs)
  return pageOf(
    rows.filter((row) => matchesTimeline(row, input)),
    rows.length,
    input,
  )
}

async function settle(world: World, nodeId: number, through: NodeState, to: NodeState): Promise<NodeView> {
  const set = (state: NodeState): void => {
    const alive = state !== 'stopped' && state !== 'crashed'
    world.nodes = world.nodes.map((node) =>
      node.id !== nodeId
        ? node
        : {
            ...node,
            state,
            sinceMs: Date.now(),
            pid: alive ? (node.pid ?? 30_000 + nodeId) : null,
            exit: alive
              ? node.exit
              : {
                  code: null,
                  signal: state === 'crashed' ? 'SIGKILL' : null,
                  atMs: Date.now(),
                  reason: state === 'crashed' ? 'It was killed.' : 'It was stopped.',
                },
          },
    )
  }
  set(through)
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  set(to)
  return world.nodes.find((node) => node.id === nodeId) ?? missing('NODE_NOT_FOUND', `node ${nodeId}`)
}

function connectionTest(address: string) {
  const failed = address.includes('bad')
  const step = (name: 'resolve' | 'connect' | 'handshake' | 'metadata', ok: boolean, message: string) => ({
    step: name,
    address,
    ok,
    elapsedMs: 3,
    message,
  })
  return {
    ok: !failed,
    steps: failed
      ? [step('resolve', true, 'Found 127.0.0.1.'), step('connect', false, `Nothing listens on ${address}.`)]
      : [
          step('resolve', true, 'Found 127.0.0.1.'),
          step('connect', true, 'Connected.'),
          step('handshake', true, 'Speaks Kafka, ApiVersions 4.'),
          step('metadata', true, 'Three brokers.'),
        ],
    failure: failed
      ? {
          reason: 'refused' as const,
          message: `Nothing listens on ${address}.`,
          advice: 'Check that the broker runs and that the port is right.',
        }
      : null,
    kafkaClusterId: failed ? null : 'MkU3OEVBNTcwNTJENDM2Qk',
    brokers: failed ? [] : [1, 2, 3].map((id) => ({ id, host: '127.0.0.1', port: 9091 + id, reachable: true })),
    roundTripMs: failed ? null : 1.4,
    sameAsClusterId: null,
  }
}

export function missing(code: 'CLUSTER_NOT_FOUND' | 'NODE_NOT_FOUND' | 'TOPIC_NOT_FOUND' | 'GROUP_NOT_FOUND', subject: string): never {
  throw new ORPCError(code, { message: `There is no ${subject}.`, data: { subject, advice: null, cause: null } })
}
