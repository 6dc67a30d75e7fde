/**
 * The seam between this project and the runtime it is on. Everything that depends on time, disk, network,
 * randomness or the process comes in through these interfaces, so that tests turn the clock and break the disk.
 * All calls are synchronous or callback-shaped: one callback a chunk or a sync, never one a message.
 *
 * @module
 */

/** A timer that can be called off; cancelling twice, or after it ran, does nothing. */
export interface Timer {
  /** Calls it off. */
  cancel(): void;
}

/** A point in time in the machine's zone, as Apache names index files and reads `deleteWhen`. */
export interface LocalTime {
  /** Four digits. */
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  /** 1..31 */
  readonly day: number;
  /** 0..23 */
  readonly hour: number;
  /** 0..59 */
  readonly minute: number;
  /** 0..59 */
  readonly second: number;
  /** 0..999 */
  readonly millisecond: number;
}

/** Time and turns of the event loop. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May step back. */
  nowMs(): number;
  /** Monotonic, microseconds since an arbitrary start. */
  monotonicUs(): number;
  /** Runs `run` once, `delayMs` from now. A timer keeps the process alive only with `keepsAlive`. */
  setTimer(delayMs: number, run: () => void, keepsAlive?: boolean): Timer;
  /** Runs `run` each `periodMs`, first after one period; late runs are not made up for. */
  every(periodMs: number, run: () => void): Timer;
  /**
   * Runs `run` when the events of this turn of the loop have been delivered (all sockets that were readable).
   * What is registered while the list is being run is run in the same drain, after what was there already.
   */
  afterTurn(run: () => void): void;
  /** The machine's local time for `ms` (milliseconds since 1970). */
  localTime(ms: number): LocalTime;
}

/** What went wrong with a file or a socket, with the code that every runtime agrees on. */
export class PlatformError extends Error {
  /** Tells it from other errors. */
  override readonly name = "PlatformError";
  /** `message` is for people, `code` for programs. */
  constructor(
    /** POSIX name: `ENOENT`, `EEXIST`, `ENOSPC`, `EIO`, `EACCES`, `EADDRINUSE`, `ECONNREFUSED`, `ETIMEDOUT`, `EMFILE`, `ELOCKED` … */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Gets null, or the reason why it failed. */
export type Done = (error: PlatformError | null) => void;

/** An open file. Positions are byte offsets from the start of the file. */
export interface File {
  /** As it was opened. */
  readonly path: string;
  /**
   * Writes all of `bytes` at `position`, synchronously (positional: no shared cursor is observable).
   * Returns the number of bytes written; a short count or a thrown PlatformError (ENOSPC, EIO) means that what lies
   * from `position` on is undefined.
   */
  writeAt(bytes: Uint8Array, position: number): number;
  /** Reads up to `into.length` bytes, synchronously; 0 at the end. Throws PlatformError. */
  readAtSync(into: Uint8Array, position: number): number;
  /** The same off the loop. `into` belongs to the call until `done`. */
  readAt(into: Uint8Array, position: number, done: (error: PlatformError | null, bytesRead: number) => void): void;
  /** fdatasync off the loop; never starved by reads. */
  syncData(done: Done): void;
  /** Sets the length; growing leaves a hole of zeros. Throws PlatformError. */
  truncate(length: number): void;
  /** Present length in bytes. */
  size(): number;
  /** Closes once no operation is in flight any more; operations started after this throw EBADF. */
  close(): void;
}

/** What `stat` tells. */
export interface FileInfo {
  /** A regular file. */
  readonly isFile: boolean;
  /** A directory. */
  readonly isDirectory: boolean;
  /** bytes */
  readonly size: number;
  /** milliseconds since 1970 */
  readonly modifiedMs: number;
}

/** The file system. Paths are absolute or relative to the working directory, with `/`. */
export interface Files {
  /** Opens for reading and writing; `create` makes it when absent; `readOnly` asks for no write access. Throws PlatformError. */
  open(path: string, options?: { create?: boolean; readOnly?: boolean }): File;
  /** Whole file, or null when it does not exist. For small files. */
  readWhole(path: string): Uint8Array | null;
  /** Creates or replaces a small file (no sync). */
  writeWhole(path: string, bytes: Uint8Array): void;
  /** Gives it another name, in place of what had it. Throws PlatformError. */
  rename(from: string, to: string): void;
  /** Removes a file; absent is not an error. */
  remove(path: string): void;
  /** Removes a directory with all below it; absent is not an error. */
  removeTree(path: string): void;
  /** Makes a directory and its parents. */
  makeDirectory(path: string): void;
  /** Names of a directory's entries, sorted; empty when it does not exist. */
  list(path: string): string[];
  /** What stands at `path`, or null when nothing does. */
  stat(path: string): FileInfo | null;
  /** Makes created, renamed and removed entries of this directory durable. */
  syncDirectory(path: string, done: Done): void;
  /** Space of the file system that holds `path`, bytes. */
  space(path: string): { totalBytes: number; freeBytes: number };
  /**
   * Takes a process-exclusive lock on byte 0 of the file (POSIX record lock, so that a Java broker sees it too),
   * writes `content` into it, and returns the release. Throws PlatformError `ELOCKED` when another process holds it.
   * While it is held nothing else in this process may open that path: closing it would give up the lock.
   */
  lock(path: string, content: string): { release(): void };
}

/** One end of a connection. */
export interface Address {
  /** IP literal without brackets. */
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

/** What a connection tells its owner. */
export interface ConnectionHandler {
  /** Bytes that came; the view is valid only until the call returns. */
  data(chunk: Uint8Array): void;
  /** The write buffer fell below its low-water mark after `write` had returned false. */
  drain?(): void;
  /** Gone, once, for any reason; after this nothing more comes. */
  close(error: PlatformError | null): void;
}

/** A stream connection, plain or TLS. */
export interface Connection {
  /** This end. */
  readonly local: Address;
  /** The other end. */
  readonly remote: Address;
  /** TLS. */
  readonly encrypted: boolean;
  /** Must be set in the accept or connect callback, before it returns. */
  handler: ConnectionHandler;
  /** Takes ownership of `bytes`. False: above the high-water mark (1 MiB), `drain` will follow. */
  write(bytes: Uint8Array): boolean;
  /** Whether the buffer of a `write` is free again as soon as `write` has returned and `bufferedBytes` is 0. */
  readonly copiesWrites: boolean;
  /** Bytes handed to `write` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** Stops and restarts `data`. */
  pause(): void;
  /** Lets `data` come again. */
  resume(): void;
  /** Sends what is buffered, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** Certificate material of a TLS server, PEM. */
export interface TlsServerOptions {
  /** The server's certificate, and the chain above it. */
  readonly cert: string;
  /** The certificate's private key. */
  readonly key: string;
  /** Certificates that clients must be signed by, when `clientAuth` asks for one. */
  readonly ca?: string;
  /** Whether clients show a certificate of their own; default `none`. */
  readonly clientAuth?: "none" | "optional" | "require";
}

/** How a TLS client checks its peer, PEM. */
export interface TlsClientOptions {
  /** Whom to trust; default the runtime's list. */
  readonly ca?: string;
  /** The client's certificate, where the server asks for one. */
  readonly cert?: string;
  /** The private key of `cert`. */
  readonly key?: string;
  /** False trusts any certificate. Default true. */
  readonly verify?: boolean;
  /** The name that the certificate must carry; default the host. */
  readonly serverName?: string;
}

/** A listening port. */
export interface Listener {
  /** Where it is bound; the port that it got, when 0 was asked for. */
  readonly address: Address;
  /** Stops and restarts accepting; used at EMFILE. Existing connections go on. */
  pause(): void;
  /** Accepts again. */
  resume(): void;
  /** Stops listening. Existing connections stay. */
  close(): void;
}

/** The network. */
export interface Net {
  /**
   * Listens and calls `accept` for each connection. Resolves when bound; rejects with PlatformError (`EADDRINUSE` …).
   * `error` gets what accepting runs into afterwards (`EMFILE`).
   */
  listen(
    options: { host: string; port: number; backlog?: number },
    accept: (connection: Connection) => void,
    error: (error: PlatformError) => void,
  ): Promise<Listener>;
  /** Connects; rejects with PlatformError (`ECONNREFUSED`, `ETIMEDOUT` after `timeoutMs`, …). The caller sets `handler` before its first await. */
  connect(options: { host: string; port: number; timeoutMs: number; tls?: TlsClientOptions }): Promise<Connection>;
  /**
   * Turns an accepted connection into the server end of TLS. `first` are the bytes that were already read from it.
   * The old object must not be used afterwards. `accept` gets the decrypted connection once the handshake is done;
   * a failed handshake closes it and calls `failed`.
   */
  startTls(
    connection: Connection,
    first: Uint8Array,
    options: TlsServerOptions,
    accept: (connection: Connection) => void,
    failed: (error: PlatformError) => void,
  ): void;
  /** IP addresses of a name, as literals; rejects with PlatformError. */
  resolve(host: string): Promise<string[]>;
  /** Addresses of this machine's interfaces, loopback included. */
  interfaces(): { name: string; address: string; family: 4 | 6; loopback: boolean }[];
}

/** Randomness. */
export interface Random {
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
  /** Fills `into` with unpredictable bytes. */
  bytes(into: Uint8Array): void;
}

/** The process. */
export interface Process {
  /** What runs it. */
  readonly runtime: "deno" | "bun" | "node" | "simulated";
  /** Its number. */
  readonly pid: number;
  /** The machine's name. */
  readonly hostName: string;
  /** The user's. */
  readonly homeDirectory: string;
  /** Arguments, without runtime and script. */
  readonly args: readonly string[];
  /** One variable of the environment. */
  env(name: string): string | undefined;
  /** All variables. */
  environment(): Record<string, string>;
  /** Calls `run` on SIGINT or SIGTERM (and SIGHUP where it exists); returns the removal. */
  onStop(run: (signal: string) => void): () => void;
  /** Ends it at once. */
  exit(code: number): never;
  /** Memory of the machine, bytes. */
  readonly memoryBytes: number;
  /** Resident memory, bytes. */
  residentBytes(): number;
  /** Raises the descriptor limit as far as allowed and tells what it is now (0: unknown). */
  raiseDescriptorLimit(): number;
  /** Writes text, synchronously. */
  write(stream: "out" | "err", text: string): void;
  /** Columns of the terminal on `out`, or null when it is not one. */
  readonly columns: number | null;
}

/** Making and reading of key material, where the runtime can. */
export interface Certificates {
  /** A fresh self-signed certificate for `name` and 127.0.0.1 with its key, PEM. */
  selfSigned(name: string): { cert: string; key: string };
  /** An encrypted private key (PEM) in the clear. Throws when the password is wrong. */
  decryptKey(key: string, password: string): string;
}

/** Digests of bytes. */
export interface Hashing {
  /** HMAC-SHA1 over the pieces one after the other: 20 bytes. */
  hmacSha1(key: Uint8Array, pieces: readonly Uint8Array[]): Uint8Array;
}

/** All of it. */
export interface Platform {
  /** Time. */
  readonly clock: Clock;
  /** Disk. */
  readonly files: Files;
  /** Network. */
  readonly net: Net;
  /** Chance. */
  readonly random: Random;
  /** The process. */
  readonly process: Process;
  /** Digests. */
  readonly hashing: Hashing;
  /** Absent where there is no TLS. */
  readonly certificates?: Certificates;
}

/** Where a part of the system reports what an operator must know. Quiet by default: never a line a message. */
export interface Logger {
  /** What went as planned and is worth knowing. */
  info(message: string, fields?: Record<string, unknown>): void;
  /** What an operator may want to act on. */
  warn(message: string, fields?: Record<string, unknown>): void;
  /** What an operator must act on. */
  error(message: string, fields?: Record<string, unknown>): void;
}
