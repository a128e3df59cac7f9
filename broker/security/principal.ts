/** Who a request acts for. Equal principals have equal type and name. */
export interface Principal {
  /** "Node" is a cluster member on the INTERNAL listener; everyone else is a "User". */
  readonly type: 'User' | 'Node'
  readonly name: string
}

/** A client on a listener that asks nobody for a name. */
export const ANONYMOUS: Principal = { type: 'User', name: 'ANONYMOUS' }
