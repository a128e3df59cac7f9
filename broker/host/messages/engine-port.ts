/** What the host asks of the message engine, wherever it runs: in a worker thread, or in this thread in tests. */
import type {
  Histogram,
  MessageDetail,
  MessageQuery,
  MessageRow,
  PayloadSlice,
  QueryProgress,
  TailBatch,
  TextFilter,
} from '../../contract/messages.ts'
import type { Changes } from '../rpc/changes.ts'

/** Which brokers to read from. */
export interface EngineCluster {
  readonly clusterId: string
  readonly bootstrapServers: readonly string[]
}

/** A query with its defaults filled in. */
export interface ResolvedQuery {
  readonly topic: string
  readonly partitions: readonly number[] | null
  readonly start: NonNullable<MessageQuery['start']>
  readonly order: 'newest-first' | 'oldest-first'
  readonly text: ResolvedText | null
  readonly rowsMax: number | null
  readonly isolation: 'read-uncommitted' | 'read-committed'
}

export type ResolvedText = Required<TextFilter>

export interface TailQuery {
  readonly topic: string
  readonly partitions: readonly number[] | null
  readonly text: ResolvedText | null
  readonly backlog: number
}

export interface RecordPlace {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface PayloadRequest extends RecordPlace {
  readonly part: { readonly of: 'key' } | { readonly of: 'value' } | { readonly of: 'header'; readonly index: number }
  readonly as: 'text' | 'hex'
  /** In bytes. */
  readonly position: number
  readonly count: number
}

export interface RowWindow {
  readonly rows: readonly MessageRow[]
  readonly rowCount: number
}

/** Calls that need an id reject with `QUERY_NOT_FOUND` when it is not open. */
export interface QueryCalls {
  open(cluster: EngineCluster, query: ResolvedQuery): Promise<string>
  progress(queryId: string): Promise<QueryProgress>
  rows(queryId: string, from: number, count: number): Promise<RowWindow>
  detail(queryId: string, index: number): Promise<MessageDetail>
  at(cluster: EngineCluster, place: RecordPlace): Promise<MessageDetail>
  payload(cluster: EngineCluster, request: PayloadRequest): Promise<PayloadSlice>
  more(queryId: string, rows: number | null): Promise<void>
  cancel(queryId: string): Promise<void>
  /** Unknown ids are fine. */
  close(queryId: string): Promise<void>
  histogram(queryId: string, buckets: number): Promise<Histogram>
  openTail(cluster: EngineCluster, query: TailQuery): Promise<string>
  /** The next batch; an empty one after a second without news, `null` once closed. Reads only when asked. */
  nextTail(queryId: string): Promise<TailBatch | null>
  /** Closes the cluster's queries and connections. */
  forget(clusterId: string): Promise<void>
}

export interface QueryEngine extends QueryCalls {
  /** Emits when a query's progress has moved, at most ten times a second each. */
  changesOf(queryId: string): Pick<Changes, 'on'>
  shutdown(): Promise<void>
}
