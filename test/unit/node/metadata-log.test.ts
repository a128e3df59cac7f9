import { expect, it } from 'vitest'
import { leaderChangeMessage } from '../../../broker/api/control-records.schema.ts'
import { featureLevelRecord } from '../../../broker/cluster/metadata-records.ts'
import { createSimulatedEnv } from '../../../broker/env/simulated.ts'
import { openPartitionLog } from '../../../broker/log/partition-log.ts'
import { MetadataLog, metadataLogConfig } from '../../../broker/node/metadata-log.ts'
import { decodeMessage } from '../../../broker/wire/codec.ts'
import { batchesIn, recordsIn } from '../../../broker/wire/record-batch.ts'

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

it('opens an epoch with the control record that goes with kraft.version 0', async () => {
  const log = await logOf(1)
  const voters = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg'].map((directoryId, index) => ({ id: 1001 + index, directoryId }))
  const { baseOffset } = log.appendLeaderChange({ leaderId: 1002, epoch: 2, voters, grantingVoters: [1002] })
  await new Promise<void>((resolve) => {
    log.onWritten = resolve
  })
  const bytes = await log.readForFollower(baseOffset, 1_000)
  const values = [...batchesIn(bytes)].flatMap(({ header, position }) => [...recordsIn(bytes, position, header)].map(({ value }) => value))
  expect(values.map((value) => decodeMessage(leaderChangeMessage, 0, value!))).toMatchObject([
    { version: 0, leaderId: 1002, voters: [{ voterId: 1001 }, { voterId: 1002 }], grantingVoters: [{ voterId: 1002 }] },
  ])
})
