/**
 * The shapes of the remoting layer: connections that carry requests both ways, a server and a client.
 * (remoting.md §1, §6)
 */
import type { Address, TlsClientOptions } from "@rmq/platform";
import type { Answer, Header, OutgoingRequest, Output } from "@rmq/protocol";

/**
 * Serves one request. `header` (with its `bytes`, `bodyStart`, `bodyEnd`) is valid only until the handler returns.
 * It answers now (`connection.answer`, or bytes into `connection.out` and `connection.touch()`), later
 * (`connection.later(header)`), or never. A throw becomes code 1 with a remark `<ErrorName>: message`.
 */
export type Handler = (header: Header, connection: RemotingConnection) => void;

/** Handlers by request code. An unknown code is answered with 3 and ` request type N not supported`. */
export type Handlers = ReadonlyMap<number, Handler>;

/** A request to a peer; the connection gives it its opaque. */
export type PeerRequest = Omit<OutgoingRequest, "opaque">;

/** What a peer answered, copied out of the frame. */
export interface Response {
  /** Response code (remoting.md §7). */
  readonly code: number;
  /** What it says besides its code, or null. */
  readonly remark: string | null;
  /** extFields; empty when there were none. */
  readonly fields: Map<string, string | null>;
  /** null when the frame had no body. */
  readonly body: Uint8Array | null;
  /** MQVersion ordinal of the answering process. */
  readonly version: number;
  /** Language code of the answering process, -1 unknown. */
  readonly language: number;
}

/** Gets the answer to one request of ours while its frame is in place. */
export interface AnswerTaker {
  /** Set by `expect`: when the answer is given up, by the monotonic clock, ms. */
  deadlineMs: number;
  /** The answer; `header` is valid only until this returns. Must not throw. */
  answered(header: Header): void;
  /** Why there is none. Must not throw. */
  failed(error: RemotingError): void;
}

/** The right to answer a request after its handler returned. */
export interface Later {
  /** Where the answer goes. */
  readonly connection: RemotingConnection;
  /** The request's number. */
  readonly opaque: number;
  /** True when the peer wants no answer. */
  readonly oneway: boolean;
  /** Answers; a second call, a call after the connection closed, and one for a one-way request do nothing. */
  answer(answer: Answer): void;
}

/** Why a request to a peer failed. */
export type RemotingErrorCode =
  | "TIMEOUT"
  | "CLOSED"
  | "TOO_MANY_PENDING"
  | "CONNECT_FAILED"
  | "BAD_ADDRESS";

/** A request to a peer that got no answer. */
export class RemotingError extends Error {
  /** The class of the error. */
  override readonly name = "RemotingError";
  /** See the fields. */
  constructor(
    readonly code: RemotingErrorCode,
    message: string,
    /** Whether the same request may succeed on another try or another address. */
    readonly retriable: boolean,
  ) {
    super(message);
  }
}

/** One peer, in either direction: what a server accepted and what a client opened are alike. */
export interface RemotingConnection {
  /** Unique in the process, increasing. */
  readonly id: number;
  /** Our end. */
  readonly local: Address;
  /** The socket's other end. */
  readonly remote: Address;
  /** The client's address by the PROXY protocol, or null. */
  readonly proxied: Address | null;
  /** TLVs of a PROXY v2 preamble with ASCII values, named `proxy_protocol_tlv_0x` + two hex digits; empty without. */
  readonly proxyTlvs: ReadonlyMap<string, string>;
  /** `ip:port` of `proxied` or `remote`: what Apache calls clientAddr. */
  readonly peerText: string;
  /** TLS. */
  readonly encrypted: boolean;
  /** Came in on listenPort − 2. */
  readonly fast: boolean;
  /** Language code of the last request, -1 before or when unknown. */
  language: number;
  /** MQVersion ordinal of the last request. */
  version: number;
  /** Who authenticated on this connection; null until somebody did. */
  principal: string | null;
  /** True once it is closing or gone: nothing is sent any more. */
  readonly closed: boolean;
  /** Bytes that left `out` and that the peer has not taken yet. */
  readonly bufferedBytes: number;
  /** Bytes for the peer; they leave in one write at the end of the turn, or when 256 KiB have gathered. */
  readonly out: Output;
  /** Must be called after writing to `out`. */
  touch(): void;
  /** Writes an answer and touches. */
  answer(opaque: number, answer: Answer): void;
  /** A token to answer `header`'s request later. */
  later(header: Header): Later;
  /** Sends a request to the peer; rejects with RemotingError after `timeoutMs` or when the connection closes. */
  request(request: PeerRequest, timeoutMs: number): Promise<Response>;
  /**
   * Enters a request that the caller writes itself: returns its opaque, for the frame that is to go into `out` before
   * `touch()`. Throws RemotingError `CLOSED` or `TOO_MANY_PENDING`, and then nothing was entered.
   */
  expect(taker: AnswerTaker, timeoutMs: number): number;
  /** Sends a request that is not answered. Does nothing on a closed connection. */
  oneway(request: PeerRequest): void;
  /**
   * Keeps a copy of this frame for another try at `release()` of the server. Parked frames stay in their order, and
   * beyond the byte bounds the socket is paused.
   */
  park(header: Header): void;
  /** Runs `run` once, when the connection is gone (at once if it is already). */
  onClose(run: () => void): void;
  /** Sends what is in `out`, then closes. */
  close(): void;
  /** One slot for the owner's per-connection state. */
  attachment: unknown;
}

/** TLS of a server, in Apache's terms (`tls.server.*`, TlsSystemConfig). Paths name PEM files. */
export interface TlsSettings {
  /** `tls.server.mode` @default "permissive" */
  readonly mode?: "disabled" | "permissive" | "enforcing";
  /** `tls.server.certPath` */
  readonly certPath?: string | null;
  /** `tls.server.keyPath` */
  readonly keyPath?: string | null;
  /** `tls.server.keyPassword` */
  readonly keyPassword?: string | null;
  /** `tls.server.trustCertPath`: what client certificates are checked against. */
  readonly trustCertPath?: string | null;
  /** `tls.server.need.client.auth` @default "none" */
  readonly clientAuth?: "none" | "optional" | "require";
  /** `tls.test.mode.enable`: a self-signed certificate when no files are given. @default true */
  readonly testMode?: boolean;
}

/** Bounds of a server's connections. */
export interface ServerLimits {
  /** Bytes of a frame including its length field. @default 16 MiB */
  readonly maxFrameLength?: number;
  /** Requests of ours that a peer has not answered yet. @default 1024 */
  readonly maxPendingRequestsPerConnection?: number;
  /** Further connections are closed at once. @default 65536 */
  readonly maxConnections?: number;
  /** Bytes that a peer leaves unread before it is cut off. @default 64 MiB */
  readonly maxBufferedBytesPerConnection?: number;
  /** Bytes that all peers together leave unread before the worst of them are cut off. @default 512 MiB */
  readonly maxBufferedBytes?: number;
}

/** What a server listens on and by which limits. */
export interface ServerOptions extends ServerLimits {
  /** IP address to bind, `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** What is served. */
  readonly handlers: Handlers;
  /** Listens here too (listenPort − 2), without the codes that the request table keeps off the fast port. */
  readonly fastPort?: number | null;
  /** A connection without read and write for so long is closed. @default 120000 */
  readonly idleMs?: number;
  /** Parked bytes at which a connection's socket is paused. @default 4 MiB */
  readonly parkedBytesPerConnection?: number;
  /** Parked bytes of the whole server at which every parking connection's socket is paused. @default 64 MiB */
  readonly parkedBytes?: number;
  /** An older parked frame is answered with 2 `[TIMEOUT_CLEAN_QUEUE]…`. @default 2000 */
  readonly waitTimeMillsInSendQueue?: number;
  /** What the first bytes may be. @default permissive, without certificate files */
  readonly tls?: TlsSettings;
  /** Encoding of answers and requests of this process: 0 JSON, 1 ROCKETMQ. @default 0 */
  readonly serializeType?: 0 | 1;
  /** After the first bytes were looked at, before the first request. */
  readonly connected?: (connection: RemotingConnection) => void;
  /** Once for each connection that `connected` told of. */
  readonly disconnected?: (connection: RemotingConnection) => void;
}

/** Plain counters of a server, increasing from its start. */
export interface ServerStats {
  /** Connections accepted. */
  accepted: number;
  /** Connections closed at once, beyond `maxConnections`. */
  rejected: number;
  /** Requests received. */
  requests: number;
  /** Writes to sockets; requests ÷ writes is the coalescing. */
  writes: number;
  /** Connections closed for bytes that are no frames. */
  malformed: number;
  /** Frames parked. */
  parked: number;
  /** Parked frames refused after `waitTimeMillsInSendQueue`. */
  parkTimeouts: number;
  /** Connections closed for silence. */
  idleClosed: number;
  /** Peers cut off because they didn't read. */
  slowClosed: number;
}

/** A listening server. */
export interface RemotingServer {
  /** The bound port. */
  readonly port: number;
  /** The bound port for the fast handlers, or null. */
  readonly fastPort: number | null;
  /** All that are open and whose first bytes were seen. */
  readonly connections: ReadonlySet<RemotingConnection>;
  /** Parked frames are tried again, per connection in their order. A handler may park again. */
  release(): void;
  /** Gives every parked request this answer, for a server that is about to close. */
  refuseParked(answer: Answer): void;
  /** Bytes of all parked frames. */
  readonly parkedBytes: number;
  /** Counters, live. */
  readonly stats: Readonly<ServerStats>;
  /** Closes the listening ports; connections stay. */
  stopAccepting(): void;
  /** Stops accepting, sends what is left, closes; after `graceMs` (default 0) at once. */
  close(graceMs?: number): Promise<void>;
}

/** How a client connects. */
export interface ClientOptions {
  /** Requests that peers send us (39, 220, 221, 307 …). */
  readonly handlers?: Handlers;
  /** TLS to every peer when present. */
  readonly tls?: TlsClientOptions;
  /** Milliseconds for a connection to come about. @default 3000 */
  readonly connectTimeoutMs?: number;
  /** A connection without traffic for so long is closed. @default 120000 */
  readonly idleMs?: number;
  /** Bytes of a frame including its length field. @default 16 MiB */
  readonly maxFrameLength?: number;
  /** Encoding of requests and answers: 0 JSON, 1 ROCKETMQ. @default 0 */
  readonly serializeType?: 0 | 1;
  /** Requests that a peer has not answered yet. @default 65535 */
  readonly maxPendingRequestsPerConnection?: number;
  /** Told after a connection to `address` was lost or closed. */
  readonly onDisconnect?: (address: string) => void;
}

/** Connections to peers, one shared by all users of an address. */
export interface RemotingClient {
  /**
   * The connection to `host:port` or `[v6]:port`; made on first use and again after it was lost, the name being
   * resolved anew. Rejects with RemotingError `CONNECT_FAILED` or `BAD_ADDRESS`.
   */
  connection(address: string): Promise<RemotingConnection>;
  /** The open connection to the address, or null. */
  connected(address: string): RemotingConnection | null;
  /**
   * One request; `timeoutMs` covers connecting too. Rejects with RemotingError. A `TIMEOUT` after more than 100 ms
   * closes the connection, so that the next request makes a new one.
   */
  request(address: string, request: PeerRequest, timeoutMs: number): Promise<Response>;
  /** Hands a one-way request to the connection. */
  oneway(address: string, request: PeerRequest): Promise<void>;
  /** Closes the connection to `address`, if there is one. */
  disconnect(address: string): void;
  /** Closes all connections; later calls reject with `CLOSED`. */
  close(): void;
}
