/** The producer state file `<offset>.snapshot`: int16 version 1, then this. The CRC-32C covers every byte after itself. */
import { array, int16, int32, int64, message, uint32 } from '../wire/schema.ts'

export const producerSnapshot = message({
  name: 'ProducerSnapshot',
  versions: '1',
  flexible: 'none',
  fields: {
    crc: uint32(),
    producerEntries: array({
      producerId: int64(),
      epoch: int16(),
      lastSequence: int32(),
      lastOffset: int64(),
      offsetDelta: int32(),
      timestamp: int64(),
      coordinatorEpoch: int32(),
      currentTxnFirstOffset: int64(),
    }),
  },
})
