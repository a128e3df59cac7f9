import { withCluster } from './cluster.ts'
import { failoverChapter } from './failover.ts'
import { fetchChapter } from './fetch.ts'
import type { Chapter } from './figure.ts'
import { latencyChapter } from './latency.ts'
import { memoryChapter } from './memory.ts'
import { peerChapters } from './peer.ts'
import { produceChapter, replicationChapter } from './produce.ts'
import { screenChapter } from './screen.ts'
import { searchChapter } from './search.ts'
import { coldStartChapter, restartChapter } from './start.ts'
import { figures as wireFigures } from './wire.ts'

const EPHEMERAL = ['--ephemeral']
/** Whoever is killed is started again by the cluster itself. */
const REVIVED = ['--ephemeral', '--restart', 'on-failure']

/** Each chapter is told as soon as it has been measured. */
type Measure = (quick: boolean) => AsyncIterable<Chapter>

function one(measure: (quick: boolean) => Promise<Chapter>): Measure {
  return async function* (quick) {
    yield await measure(quick)
  }
}

export const chapters: Readonly<Record<string, Measure>> = {
  start: one((quick) => coldStartChapter(quick ? 3 : 10)),
  memory: one((quick) => withCluster(EPHEMERAL, (cluster) => memoryChapter(cluster, quick ? 2_000 : 10_000))),
  produce: one((quick) => withCluster(EPHEMERAL, (cluster) => produceChapter(cluster, quick ? 500 : 1_500))),
  replication: one((quick) => withCluster(EPHEMERAL, (cluster) => replicationChapter(cluster, quick ? 500 : 1_000))),
  latency: one((quick) => withCluster(EPHEMERAL, (cluster) => latencyChapter(cluster, quick ? 4 : 15))),
  failover: one((quick) =>
    withCluster(REVIVED, (cluster) => failoverChapter(cluster, quick ? { own: 3, kafkajs: 1 } : { own: 20, kafkajs: 3 })),
  ),
  fetch: one((quick) => withCluster(EPHEMERAL, (cluster) => fetchChapter(cluster, quick ? 100_000 : 500_000))),
  search: one((quick) => withCluster(EPHEMERAL, (cluster) => searchChapter(cluster, quick ? 300_000 : 3_000_000))),
  screen: one((quick) => screenChapter(quick ? 2 : 5, quick ? 5 : 10)),
  restart: one((quick) => restartChapter((quick ? 0.125 : 1) * 2 ** 30)),
  wire: one(async () => ({ title: 'Codec', figures: [...wireFigures()] })),
}

export const peers: Readonly<Record<string, Measure>> = { kafka: peerChapters }
