/**
 * Aborted transactions whose marker lies in a segment, in the order of their markers. Entry, 34 bytes: version int16 = 0,
 * producerId int64, firstOffset int64, lastOffset int64 (of the marker), lastStableOffset int64 at that time.
 */

export const transactionIndexEntryBytes = 34
const version = 0

export interface AbortedTransactionEntry {
  readonly producerId: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly lastStableOffset: number
}

export class TransactionIndex {
  readonly entries: AbortedTransactionEntry[]

  constructor(entries: readonly AbortedTransactionEntry[] = []) {
    this.entries = [...entries]
  }

  /** Null when the bytes are no transaction index: it must be rebuilt. */
  static parse(file: Buffer): TransactionIndex | null {
    if (file.length % transactionIndexEntryBytes !== 0) return null
    const entries: AbortedTransactionEntry[] = []
    for (let at = 0; at < file.length; at += transactionIndexEntryBytes) {
      const entry = decodeEntry(file, at)
      const previous = entries.at(-1)
      if (entry === null || (previous !== undefined && entry.lastOffset <= previous.lastOffset)) return null
      entries.push(entry)
    }
    return new TransactionIndex(entries)
  }

  get content(): Buffer {
    const content = Buffer.alloc(this.entries.length * transactionIndexEntryBytes)
    this.entries.forEach((entry, index) => encodeEntry(content, index * transactionIndexEntryBytes, entry))
    return content
  }

  append(entry: AbortedTransactionEntry): void {
    this.entries.push(entry)
  }

  truncateToOffset(offset: number): void {
    while ((this.entries.at(-1)?.lastOffset ?? -1) >= offset) this.entries.pop()
  }
}

function encodeEntry(buffer: Buffer, at: number, entry: AbortedTransactionEntry): void {
  buffer.writeInt16BE(version, at)
  buffer.writeBigInt64BE(BigInt(entry.producerId), at + 2)
  buffer.writeBigInt64BE(BigInt(entry.firstOffset), at + 10)
  buffer.writeBigInt64BE(BigInt(entry.lastOffset), at + 18)
  buffer.writeBigInt64BE(BigInt(entry.lastStableOffset), at + 26)
}

function decodeEntry(buffer: Buffer, at: number): AbortedTransactionEntry | null {
  const entry = {
    producerId: Number(buffer.readBigInt64BE(at + 2)),
    firstOffset: Number(buffer.readBigInt64BE(at + 10)),
    lastOffset: Number(buffer.readBigInt64BE(at + 18)),
    lastStableOffset: Number(buffer.readBigInt64BE(at + 26)),
  }
  const isSane =
    buffer.readInt16BE(at) === version &&
    Object.values(entry).every((value) => Number.isSafeInteger(value)) &&
    entry.firstOffset >= 0 &&
    entry.lastOffset >= entry.firstOffset
  return isSane ? entry : null
}
