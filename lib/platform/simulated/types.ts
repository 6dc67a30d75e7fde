import type { Platform, Process, Random } from "../types.ts";

/** What a fault can befall. */
export type FaultyOperation =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "truncate"
  | "rename"
  | "remove"
  | "makeDirectory"
  | "syncDirectory";

/** A failure to come. */
export interface Fault {
  /** The operation that fails. */
  readonly op: FaultyOperation;
  /** Only paths that contain this; all without it. */
  readonly path?: string;
  /** The POSIX code to fail with. */
  readonly code: string;
  /** For `write`: so many bytes are written before it fails. */
  readonly shortWrite?: number;
  /** How often; default 1. */
  readonly count?: number;
  /** How many operations that match go well before; default 0. */
  readonly skip?: number;
}

/**
 * The disk of one simulated machine. It outlives the processes on it; a power cut leaves what was synced and any
 * part of what was not. Harsh where POSIX allows it: an entry (a directory's own too) is durable only after
 * `syncDirectory` of the directory that it stands in, and a file whose sync failed counts as clean.
 */
export interface DiskControl {
  /** How long a sync and an asynchronous read take, milliseconds; 0 lets them complete without time passing. */
  readonly latencyMs: { sync: number; read: number };
  /** Completed syncs of files, for tests that count them. */
  readonly syncs: number;
  /** What can still be written, bytes. */
  readonly freeBytes: number;
  /** Lets coming operations fail. */
  failNext(fault: Fault): void;
  /** Takes back the faults that have not happened yet. */
  clearFaults(): void;
  /** Sets what can still be written, in whole pages of 4 KiB; beyond it writes fail with `ENOSPC`. */
  setFreeBytes(bytes: number): void;
  /** Flips bit `bit` (0..7, default 0) of the byte at `position`, on the device and in memory. Throws `ENOENT`. */
  flipBit(path: string, position: number, bit?: number): void;
}

/** The network between all simulated machines. */
export interface NetControl {
  /** How long a chunk is on its way, milliseconds: between the two, as the seed has it. */
  readonly latencyMs: { least: number; most: number };
  /** Whether chunks are split at random; without it they are as large as they can be. */
  splits: boolean;
  /** Open connections, each counted once. */
  readonly connections: number;
  /** Nothing gets from host `a` to host `b` any more, neither way; a name left out, or `*`, is every host. */
  partition(a?: string, b?: string): void;
  /** Ends all partitions; what was held up goes on. */
  heal(): void;
  /** Resets the connections with an end at `port`, or all: both ends get `ECONNRESET`. Returns how many ends it began at. */
  drop(port?: number): number;
}

/** The wall clock of the simulated world: stands still unless time is advanced or the clock is stepped. */
export interface ClockControl {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Sets it forward or (below 0) back without time passing, as an operator or NTP does. */
  stepMs(ms: number): void;
}

/** A simulated process, from the outside. */
export interface ProcessControl {
  /** What the process itself sees. */
  readonly process: Process;
  /** What it wrote, both streams. */
  readonly output: string[];
  /** What it exited with; null while it runs. */
  readonly exitCode: number | null;
  /** Sends it a signal, `SIGTERM` for one. */
  signal(name: string): void;
}

/** What can be told about a simulated process beforehand. */
export interface ProcessOptions {
  /** Its arguments; none by default. */
  readonly args?: readonly string[];
  /** Its environment; empty by default. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A simulated computer: a disk that stays, and one process after the other. */
export interface Machine {
  /** By which other machines resolve it. */
  readonly name: string;
  /** Its address; 127.0.0.1 reaches itself. */
  readonly host: string;
  /** Its disk. */
  readonly disk: DiskControl;
  /** The platform of the process that runs now. */
  readonly platform: Platform;
  /** What the process writes and exits with, and the way to send it signals. */
  readonly process: ProcessControl;
  /**
   * Ends the process where it stands: what is in flight never completes, its files and connections are dead. With
   * `powerCut` the disk keeps any part of what was not synced, else all that was written. Returns the platform of the
   * next process.
   */
  crash(how: { powerCut: boolean }): Platform;
}

/** What a simulation begins with. */
export interface SimulationOptions extends ProcessOptions {
  /** Determines everything that is left to chance. */
  readonly seed: number;
  /** Wall clock at the start, milliseconds since 1970; default 2026-01-01. */
  readonly startMs?: number;
}

/** A world under a seed: machines with disks, a network between them, and a clock that stands until it is turned. */
export interface Simulation {
  /** What it was made with. */
  readonly seed: number;
  /** The wall clock, to be read or set. */
  readonly clock: ClockControl;
  /** The network: partitions, drops, latency. */
  readonly net: NetControl;
  /** Chance for the test itself, from the same seed. */
  readonly random: Random;
  /** The machine that is there from the start. */
  readonly machine: Machine;
  /** The platform of the process that runs now on the first machine. */
  readonly platform: Platform;
  /** The first machine's disk. */
  readonly disk: DiskControl;
  /** One more machine on the same network, reached by its name or its `host`. */
  addMachine(name: string, options?: ProcessOptions): Machine;
  /** Crashes the first machine's process; see `Machine.crash`. */
  crash(how: { powerCut: boolean }): Platform;
  /** Runs completions and turns until nothing is ready; time stands still. */
  settle(): Promise<void>;
  /** Lets time pass: milliseconds, or `"90s"`, `"2h"`. Every timer runs at its time, with all that comes of it. */
  advance(duration: number | string): Promise<void>;
  /**
   * Turns the world until `outcome` is there, moving time from timer to timer where nothing else is left to happen.
   * Rejects when it does not come within a simulated hour, or when nothing could bring it any more.
   */
  finish<T>(outcome: Promise<T>): Promise<T>;
}
