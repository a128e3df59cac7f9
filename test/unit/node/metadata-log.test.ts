import { expect, it } from 'vitest'
import { featureLevelRecord } from '../../../broker/cluster/metadata-records.ts'
import { createSimulatedEnv } from '../../../broker/env/simulated.ts'
import { openPartitionLog } from '../../../broker/log/partition-log.ts'
import { MetadataLog, metadataLogConfig } from '../../../broker/node/metadata-log.ts'

/** One record for each epoch given, in order. */
async function logOf(...epochs: number[]): Promise<MetadataLog> {
  const env = createSimulatedEnv({ seed: 1 })
  const log = await openPartitionLog(env, {
    topicPartition: { topic: '__cluster_metadata', partition: 0 },
    directory: '/data/__cluster_metadata-0',
    config: metadataLogConfig,
    isClean: true,
    recoveryPoint: null,
    logStartOffset: 0,
  })
  const metadataLog = new MetadataLog(env, log, (reason) => {
    throw new Error(reason)
  })
  for (const epoch of epochs) metadataLog.appendRecords([featureLevelRecord('f', 1)], epoch)
  metadataLog.setHighWatermark(epochs.length)
  return metadataLog
}

it('says where an epoch ended', async () => {
  const { facts } = await logOf(1, 1, 2, 4)
  expect([0, 1, 2, 3, 4].map((epoch) => facts.endOffsetForEpoch(epoch))).toEqual([
    { epoch: 0, endOffset: 0 },
    { epoch: 1, endOffset: 2 },
    { epoch: 2, endOffset: 3 },
    { epoch: 2, endOffset: 3 },
    { epoch: 4, endOffset: 4 },
  ])
})

it('knows nothing of the epochs before that of the snapshot it begins behind', async () => {
  const log = await logOf(1, 1, 2, 4, 4, 4)
  log.setSnapshots([{ endOffset: 5, epoch: 4 }])
  expect(log.startOffset).toBe(5)
  // Another log of epoch 2 may have parted from this one anywhere below offset 5.
  expect([1, 2, 3].map((epoch) => log.facts.endOffsetForEpoch(epoch))).toEqual([null, null, null])
  expect(log.facts.endOffsetForEpoch(4)).toEqual({ epoch: 4, endOffset: 6 })
})
