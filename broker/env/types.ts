/**
 * The only nondeterminism in the broker: time, randomness, disk, network, and turns of the event loop.
 *
 * Everything below `broker/` that decides or stores something receives an `Env` and uses nothing else of the platform.
 * `real.ts` binds it to Node; the simulator binds it to virtual time, memory and a seeded generator. Two runs with the
 * same simulated `Env` and inputs take the same steps.
 */
export interface Env {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly disk: Disk
  readonly transport: Transport
  readonly scheduler: Scheduler
  readonly log: Logger
}

export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump; use it for record timestamps only. */
  nowMs(): number
  /** Never goes back; use it for deadlines and durations. */
  monotonicMs(): number
}

export interface Timer {
  /** Idempotent. After it returns the callback does not run. */
  cancel(): void
}

export interface Timers {
  /** Runs `callback` once, not before `delayMs` have passed. An unfired timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): Timer
}

export interface Random {
  bytes(count: number): Uint8Array
  /** Uniform in [0, bound). */
  below(bound: number): number
  /** A version 4 UUID as 16 bytes in Kafka's text form: URL-safe base64, 22 characters, never starting with "-". */
  uuid(): string
}

export interface Scheduler {
  /** Runs `callback` after the current turn's I/O callbacks, before timers: where writes of a turn are gathered. */
  afterTurn(callback: () => void): void
  /** Resolves in a later turn, so that long work lets others in. */
  yieldTurn(): Promise<void>
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface Logger {
  /** One line. `fields` are printed as key=value; secrets never go in. */
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void
}

// ---------------------------------------------------------------------------------------------------------------- disk

export interface FileStat {
  readonly bytes: number
  readonly modifiedMs: number
  readonly isDirectory: boolean
}

/**
 * Paths are absolute. Failures reject with a `DiskError`; "not there" is an answer (`null`, `false`), not a failure,
 * where the signature says so.
 */
export interface Disk {
  /** Opens, creating when `create` is set. Rejects with code `ENOENT` when absent and not creating. */
  open(path: string, options?: { readonly create?: boolean; readonly readOnly?: boolean }): Promise<DiskFile>
  stat(path: string): Promise<FileStat | null>
  /** Names, unsorted; an absent directory is `null`. */
  list(path: string): Promise<readonly string[] | null>
  /** Creates parents too; an existing directory is fine. */
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** A file; an absent one is fine. */
  remove(path: string): Promise<void>
  /** A directory with all in it; an absent one is fine. */
  removeTree(path: string): Promise<void>
  readFile(path: string): Promise<Buffer | null>
  /** Writes `<path>.tmp`, fsyncs it, renames it over `path`, fsyncs the directory: old or new content, never a mixture. */
  writeFileAtomic(path: string, content: Uint8Array): Promise<void>
  /** Makes creations and renames in a directory durable. A no-op where the platform cannot. */
  syncDirectory(path: string): Promise<void>
  /**
   * Names the time in which nothing written was lost for want of a sync: another name once the operating system has
   * started anew, the same after a process died. Null where the platform does not tell.
   */
  writeCacheId(): Promise<string | null>
  /** Exclusive for the life of the process or until released; `null` when someone else holds it. */
  lock(path: string): Promise<DiskLock | null>
  /** Of the volume `path` is on; what this process may still write is free. */
  space(path: string): Promise<DiskSpace>
}

export interface DiskSpace {
  readonly totalBytes: number
  readonly freeBytes: number
}

export interface DiskLock {
  release(): Promise<void>
}

/**
 * Calls on one file are carried out in the order they were made; reads may run side by side. A sync covers the calls made
 * before it, and later calls do not wait for it, so that syncing in the background stalls no append.
 */
export interface DiskFile {
  readonly path: string
  /** Fills `target` from `position`; resolves with the bytes read, fewer only at the end of the file. */
  read(position: number, target: Uint8Array): Promise<number>
  /** Writes all chunks back to back at `position`. */
  write(position: number, chunks: readonly Uint8Array[]): Promise<void>
  truncate(bytes: number): Promise<void>
  /** fsync. */
  sync(): Promise<void>
  bytes(): Promise<number>
  close(): Promise<void>
}

/** What a disk operation failed with. `code` is the platform's: ENOENT, ENOSPC, EIO, EACCES, EMFILE ... */
export class DiskError extends Error {
  readonly code: string
  readonly path: string
  constructor(code: string, path: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'DiskError'
    this.code = code
    this.path = path
  }
}

// ----------------------------------------------------------------------------------------------------------- transport

export interface Address {
  readonly host: string
  readonly port: number
}

export interface Transport {
  /** Port 0 takes a free one. Rejects with a `TransportError` (EADDRINUSE, EACCES ...). */
  listen(at: Address, onConnection: (connection: Connection) => void): Promise<Listener>
  connect(to: Address, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<Connection>
}

export interface Listener {
  readonly address: Address
  /** Stops accepting; open connections stay. */
  close(): Promise<void>
}

/**
 * A byte stream. Exactly one `onClose` follows, whoever ended it. Data before a handler is set is held back by the
 * platform's own flow control, not dropped.
 */
export interface Connection {
  readonly remote: Address
  readonly local: Address
  /** Queues all chunks as one write; `false` asks to wait for `onDrain`. */
  write(chunks: readonly Uint8Array[]): boolean
  /** Bytes handed to `write` and not yet taken by the kernel. */
  readonly pendingBytes: number
  setHandlers(handlers: ConnectionHandlers): void
  /** Back-pressure: no `onData` until `resume`. */
  pause(): void
  resume(): void
  /** Flushes what was written, then closes. */
  end(): void
  /** Closes now; what is unsent is lost. */
  destroy(): void
}

export interface ConnectionHandlers {
  /** The buffer belongs to the receiver. */
  onData(chunk: Buffer): void
  onDrain?(): void
  onClose(error: TransportError | null): void
}

export class TransportError extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'TransportError'
    this.code = code
  }
}
