/**
 * Incremental fetch sessions (KIP-227): what each consumer asked for last, so that it need only name changes and is
 * only told changes.
 */
export interface FetchSessions {
  /** Sessions open now, at most the cache's slots. */
  readonly size: number
}
