/**
 * The rows a query found: appended at the end, read anywhere. Invariant: row n never changes once appended. Memory holds the
 * newest chunk and one position per `rowsPerIndexEntry` rows; everything else lies in a file that goes with the store.
 */
import type { DiskFile, Env } from '../../env/types.ts'
import type { MessageRow, Preview } from '../../contract/messages.ts'

/** Written to the file when the newest chunk reaches this. */
const chunkBytes = 256 * 1024
const rowsPerIndexEntry = 64
/** The file of one query may grow to this; the query then stops with a sentence. */
export const spillBytesMax = 2 * 1024 * 1024 * 1024

export type NewRow = Omit<MessageRow, 'index'>

export class RowStore {
  rowCount = 0
  private readonly env: Env
  private readonly path: string
  private file: DiskFile | null = null
  /** Byte position of row 0, 64, 128 ... */
  private index = new Float64Array(256)
  /** Bytes in the file; the chunk follows them. */
  private spilledBytes = 0
  private chunk = Buffer.allocUnsafe(chunkBytes + 16 * 1024)
  private chunkUsed = 0
  private spilling: Promise<void> = Promise.resolve()
  private isClosed = false

  constructor(env: Env, path: string) {
    this.env = env
    this.path = path
  }

  get bytes(): number {
    return this.spilledBytes + this.chunkUsed
  }

  /** True asks the caller to await `spill` before it appends on. */
  append(row: NewRow): boolean {
    if (this.rowCount % rowsPerIndexEntry === 0) this.addIndexEntry()
    if (this.chunk.length - this.chunkUsed < rowBytesMax) this.growChunk()
    this.chunkUsed = writeRow(this.chunk, this.chunkUsed, row)
    this.rowCount += 1
    return this.chunkUsed >= chunkBytes
  }

  /** Moves what is in memory to the file; rows appended meanwhile stay in memory. */
  spill(): Promise<void> {
    this.spilling = this.spilling.then(() => this.spillChunk())
    return this.spilling
  }

  private async spillChunk(): Promise<void> {
    const full = this.chunk.subarray(0, this.chunkUsed)
    if (full.length === 0 || this.isClosed) return
    this.file ??= await this.env.disk.open(this.path, { create: true })
    await this.file.write(this.spilledBytes, [full])
    this.spilledBytes += full.length
    this.chunk.copyWithin(0, full.length, this.chunkUsed)
    this.chunkUsed -= full.length
  }

  /** Rows `from` to `from + count - 1`, fewer at the end. */
  async read(from: number, count: number): Promise<MessageRow[]> {
    const end = Math.min(from + count, this.rowCount)
    if (from >= end || this.isClosed) return []
    const firstEntry = Math.floor(from / rowsPerIndexEntry)
    const lastEntry = Math.ceil(end / rowsPerIndexEntry)
    const start = this.index[firstEntry] ?? 0
    const stop = lastEntry * rowsPerIndexEntry < this.rowCount ? (this.index[lastEntry] ?? this.bytes) : this.bytes
    const bytes = await this.readBytes(start, stop)
    const rows: MessageRow[] = []
    const reader = new RowReader(bytes)
    for (let index = firstEntry * rowsPerIndexEntry; index < end; index += 1) {
      const row = reader.next(index)
      if (index >= from) rows.push(row)
    }
    return rows
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.spilling.catch(() => undefined)
    await this.file?.close()
    this.chunk = Buffer.alloc(0)
    this.chunkUsed = 0
    await this.env.disk.remove(this.path)
  }

  private async readBytes(start: number, stop: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(stop - start)
    // What is in memory now is taken now: a spill that ends while the file is read moves it.
    const inMemoryFrom = Math.max(start, this.spilledBytes)
    if (inMemoryFrom < stop) this.chunk.copy(bytes, inMemoryFrom - start, inMemoryFrom - this.spilledBytes, stop - this.spilledBytes)
    if (start < inMemoryFrom && this.file !== null) await this.file.read(start, bytes.subarray(0, inMemoryFrom - start))
    return bytes
  }

  private addIndexEntry(): void {
    const entry = this.rowCount / rowsPerIndexEntry
    if (entry === this.index.length) {
      const grown = new Float64Array(this.index.length * 2)
      grown.set(this.index)
      this.index = grown
    }
    this.index[entry] = this.bytes
  }

  private growChunk(): void {
    const grown = Buffer.allocUnsafe(this.chunk.length * 2)
    this.chunk.copy(grown, 0, 0, this.chunkUsed)
    this.chunk = grown
  }
}

/** Fixed part, and two previews of at most 240 characters (or 240 hex digits) in UTF-8. */
const rowBytesMax = 40 + 2 * (3 + 240 * 4)

const flags = { hasKey: 1, hasValue: 2, isAppendTime: 4 } as const
const encodings = ['json', 'text', 'hex'] as const

function writeRow(buffer: Buffer, position: number, row: NewRow): number {
  const bits =
    (row.key === null ? 0 : flags.hasKey) |
    (row.value === null ? 0 : flags.hasValue) |
    (row.timestampType === 'append' ? flags.isAppendTime : 0)
  let at = buffer.writeUInt8(bits, position)
  at = buffer.writeUInt32LE(row.partition, at)
  at = buffer.writeDoubleLE(row.offset, at)
  at = buffer.writeDoubleLE(row.timestampMs, at)
  at = buffer.writeUInt32LE(row.keyBytes, at)
  at = buffer.writeUInt32LE(row.valueBytes, at)
  at = buffer.writeUInt32LE(row.headerCount, at)
  if (row.key !== null) at = writePreview(buffer, at, row.key)
  if (row.value !== null) at = writePreview(buffer, at, row.value)
  return at
}

function writePreview(buffer: Buffer, position: number, preview: Preview): number {
  const textBytes = buffer.write(preview.text, position + 3, 'utf8')
  buffer.writeUInt8(encodings.indexOf(preview.encoding) | (preview.isTruncated ? 4 : 0), position)
  buffer.writeUInt16LE(textBytes, position + 1)
  return position + 3 + textBytes
}

class RowReader {
  private readonly buffer: Buffer
  private at = 0

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  next(index: number): MessageRow {
    const { buffer, at } = this
    const bits = buffer.readUInt8(at)
    this.at += 33
    return {
      index,
      partition: buffer.readUInt32LE(at + 1),
      offset: buffer.readDoubleLE(at + 5),
      timestampMs: buffer.readDoubleLE(at + 13),
      keyBytes: buffer.readUInt32LE(at + 21),
      valueBytes: buffer.readUInt32LE(at + 25),
      headerCount: buffer.readUInt32LE(at + 29),
      timestampType: (bits & flags.isAppendTime) === 0 ? 'create' : 'append',
      key: (bits & flags.hasKey) === 0 ? null : this.preview(),
      value: (bits & flags.hasValue) === 0 ? null : this.preview(),
    }
  }

  private preview(): Preview {
    const kind = this.buffer.readUInt8(this.at)
    const textBytes = this.buffer.readUInt16LE(this.at + 1)
    const start = this.at + 3
    this.at = start + textBytes
    return {
      text: this.buffer.toString('utf8', start, this.at),
      encoding: encodings[kind & 3] ?? 'text',
      isTruncated: (kind & 4) !== 0,
    }
  }
}
