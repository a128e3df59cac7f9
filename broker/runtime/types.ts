/**
 * What the embedded runtime promises: a cluster of real processes, one per controller and broker, started, watched and
 * ended by whoever holds the data folder.
 *
 * States of a node (`NodeView.state`):
 *
 *   stopped  -> starting: start, restart            starting -> running:  the node says it is ready (a broker: unfenced)
 *   running  -> paused:   pause (SIGSTOP)           paused   -> running:  resume (SIGCONT)
 *   running, starting, paused -> stopping: stop     stopping -> stopped:  its process ended
 *   any live state -> stopped: kill (asked for)     any live state -> crashed: its process ended unasked
 *   crashed  -> starting: start, or by itself when the restart policy is 'on-failure'
 */
export type NodeRole = 'broker' | 'controller'

export type NodeState = 'starting' | 'running' | 'paused' | 'stopping' | 'stopped' | 'crashed'

export interface NodeExit {
  readonly code: number | null
  readonly signal: string | null
  readonly atMs: number
  /** What the node itself said before it ended, if anything. */
  readonly reason: string | null
}

export interface NodeView {
  /** Brokers are 1, 2, ...; controllers 1001, 1002, ... */
  readonly id: number
  readonly role: NodeRole
  readonly state: NodeState
  /** `null` while no process runs. */
  readonly pid: number | null
  /** A broker's CLIENT port; a controller's INTERNAL port, `null` until bound. */
  readonly port: number | null
  /** When the present (or last) process was started, wall clock. */
  readonly startedMs: number | null
  readonly exit: NodeExit | null
  /** How often it was started again by the restart policy. */
  readonly restarts: number
  readonly dataDirectory: string
  readonly logFile: string
}

/** One client's connection to a broker, the one thing Kafka's protocol cannot tell. */
export interface NodeConnection {
  readonly id: string
  readonly remote: string
  readonly listener: string
  readonly clientId: string | null
  readonly softwareName: string | null
  readonly softwareVersion: string | null
  readonly connectedMs: number
  readonly lastActivityMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly requests: number
  readonly lastError: string | null
}

export interface BrokerConnections {
  readonly nodeId: number
  /** `null` when the broker did not answer in time: it is down, paused or stuck. */
  readonly connections: readonly NodeConnection[] | null
}

export type RestartPolicy = 'never' | 'on-failure'

export interface ClusterOptions {
  /** Created and formatted when absent or empty. */
  readonly dataDirectory: string
  /** The folder is temporary: it is removed when the cluster ends, however it ends. */
  readonly ephemeral?: boolean
  /** Default: what the folder has, or 3 for a new one. More than the folder has adds brokers; fewer is refused. */
  readonly brokers?: number
  /** Voters of the quorum, written when the folder is formatted: 1, 3 or 5. Default: 3 beside three brokers or more, else 1. */
  readonly controllers?: number
  /** Voters run inside the processes of the first brokers, which saves memory; written when the folder is formatted. */
  readonly combined?: boolean
  /** CLIENT port of broker 1, the others follow. Named: taken means an error. Absent: 9092 or the next free block; 0: any free ports. */
  readonly port?: number
  /**
   * For clients that cannot reach loopback: HOST or HOST:PORT, at most 8, each an extra listener on every network address of this machine
   * whose clients are told HOST. PORT is broker 1's, the others follow; absent: 19092 or the next free block. Plaintext, for everybody who
   * reaches it; so it is asked for at each start and not kept.
   */
  readonly advertise?: readonly string[]
  readonly name?: string
  readonly restart?: RestartPolicy
  /** Settings of Kafka's server.properties handed to every node. */
  readonly configOverrides?: Readonly<Record<string, string>>
  /** One sentence each, for people: a port block that was taken, leftovers ended. */
  readonly onNotice?: (notice: ClusterNotice) => void
  /** Ends an opening that is under way; what runs by then is ended with `shutdown`. */
  readonly signal?: AbortSignal
}

export interface ClusterNotice {
  readonly code: 'PORTS_TAKEN' | 'LEFTOVERS_ENDED' | 'ADVERTISED'
  readonly message: string
  /** Set when what holds the port speaks Kafka: `host:port` to offer a connection to. */
  readonly kafkaAt?: string
}

export interface ControllerAddress {
  readonly id: number
  readonly host: string
  readonly port: number
}

export interface EmbeddedCluster {
  readonly clusterId: string
  readonly name: string
  /** `127.0.0.1:9092,127.0.0.1:9093,...`, brokers that are down included. */
  readonly bootstrapServers: string
  /** The same for clients elsewhere, one for each address of `advertise`. */
  readonly advertised: readonly string[]
  readonly dataDirectory: string
  readonly ephemeral: boolean
  /** Where the owner of this folder serves the contract: a Unix socket's path or a named pipe. */
  readonly ownerSocketPath: string
  /** Tells whoever comes to this folder second where the owner serves its console to browsers. */
  announceConsole(address: string): Promise<void>
  /** Per run; what a peer on the INTERNAL listener proves itself with. */
  readonly internalSecret: string
  controllerAddresses(): readonly ControllerAddress[]
  nodes(): readonly NodeView[]
  /** Called after every change with all nodes. Returns the way to stop listening. */
  onChange(listener: (nodes: readonly NodeView[]) => void): () => void
  /**
   * Resolves once every broker is unfenced and a write with acks=all has succeeded on each; the same promise every time.
   * Rejects with a `RuntimeError` when a node ends or time is up before that.
   */
  whenReady(): Promise<void>
  /** Each resolves with the node in its new state, and rejects with a `RuntimeError` when the state does not allow it. */
  start(nodeId: number): Promise<NodeView>
  /** Cleanly: a broker hands over what it leads and writes its shutdown marker. SIGKILL after 15 s. */
  stop(nodeId: number): Promise<NodeView>
  /** SIGKILL. */
  kill(nodeId: number): Promise<NodeView>
  restart(nodeId: number): Promise<NodeView>
  /** SIGSTOP; refused on Windows. */
  pause(nodeId: number): Promise<NodeView>
  resume(nodeId: number): Promise<NodeView>
  /** Asks every running broker, 1 s at most. */
  connections(): Promise<readonly BrokerConnections[]>
  /** Brokers, then controllers, cleanly; then gives the folder free. Idempotent. */
  shutdown(): Promise<void>
}

export type RuntimeErrorCode =
  /** Another process runs this folder. */
  | 'FOLDER_IN_USE'
  /** The process that runs a folder, and that was attached to, has ended. */
  | 'OWNER_GONE'
  /** The folder holds something else, cannot be written, or was written by a newer Weir. */
  | 'FOLDER_UNUSABLE'
  | 'PORT_IN_USE'
  | 'TOO_FEW_BROKERS'
  | 'INVALID_OPTION'
  | 'UNKNOWN_NODE'
  | 'WRONG_STATE'
  | 'UNSUPPORTED'
  | 'NODE_FAILED'
  | 'TIMED_OUT'

export class RuntimeError extends Error {
  readonly code: RuntimeErrorCode
  constructor(code: RuntimeErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'RuntimeError'
    this.code = code
  }
}
