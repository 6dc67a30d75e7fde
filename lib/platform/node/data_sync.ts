import { close, fdatasync, fsync, open } from "node:fs";
import { platformError } from "../errors.ts";
import { type Done, PlatformError } from "../types.ts";

/** The file that a sync is for. */
export interface SyncOwner {
  /** How often it has been synced. */
  syncs: number;
}

/** Brings to the device what was written. */
export interface DataSync {
  /** fdatasync of a file's descriptor. */
  file(owner: SyncOwner, descriptor: number, done: Done): void;
  /** fsync of a directory. */
  directory(path: string, done: Done): void;
}

/**
 * On the runtime's pool in Deno and Node. In Bun, whose pool has as few threads as there are cores, two reads that
 * block hold up every fdatasync on it, so there a worker has the syncs for itself.
 */
export function dataSync(ownThread: boolean): DataSync {
  return ownThread ? new WorkerSync() : poolSync;
}

const poolSync: DataSync = {
  file: (_owner, descriptor, done) => fdatasync(descriptor, (error) => done(error ? platformError(error) : null)),
  directory: (path, done) =>
    open(path, "r", (failed, descriptor) => {
      if (failed) return done(platformError(failed));
      fsync(descriptor, (error) => close(descriptor, () => done(error ? platformError(error) : null)));
    }),
};

// Plain JavaScript in a string, so that the compiled executable needs no second entry point.
const WORKER_SOURCE = `
const fs = require("node:fs");
const syncDirectory = (path) => {
  const descriptor = fs.openSync(path, "r");
  try { fs.fsyncSync(descriptor); } finally { fs.closeSync(descriptor); }
};
self.onmessage = ({ data }) => {
  try {
    if (typeof data === "number") fs.fdatasyncSync(data); else syncDirectory(data);
    self.postMessage(null);
  } catch (error) {
    self.postMessage([error.code ?? "EIO", error.message]);
  }
};`;

interface Request {
  readonly owner: SyncOwner;
  readonly target: number | string;
  readonly done: Done;
}

interface SyncWorker {
  postMessage(target: number | string): void;
  onmessage: ((event: { data: [string, string] | null }) => void) | null;
  onerror: ((event: { message: string; preventDefault(): void }) => void) | null;
  ref(): void;
  unref(): void;
}

class WorkerSync implements DataSync {
  #worker: SyncWorker | null = null;
  #running: Request | null = null;
  #oldestNext = true;
  readonly #waiting: Request[] = [];

  file(owner: SyncOwner, descriptor: number, done: Done): void {
    owner.syncs++;
    this.#add({ owner, target: descriptor, done });
  }

  directory(path: string, done: Done): void {
    this.#add({ owner: { syncs: 0 }, target: path, done });
  }

  #add(request: Request): void {
    this.#waiting.push(request);
    if (this.#running === null) this.#next();
  }

  #next(): void {
    if (this.#waiting.length === 0) return this.#worker?.unref();
    this.#running = this.#take();
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage(this.#running.target);
  }

  // One runs at a time. The file that syncs most often and the one that has waited longest take turns: a checkpoint
  // that syncs hundreds of consume queues holds up each group commit of the log by one of them, not by all.
  #take(): Request {
    const waiting = this.#waiting;
    let at = 0;
    if (!this.#oldestNext) {
      for (let i = 1; i < waiting.length; i++) if (waiting[i].owner.syncs > waiting[at].owner.syncs) at = i;
    }
    this.#oldestNext = !this.#oldestNext;
    return waiting.splice(at, 1)[0];
  }

  #start(): SyncWorker {
    const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: "text/javascript" }));
    const worker = new Worker(url) as unknown as SyncWorker;
    worker.onmessage = ({ data }) => this.#finish(data === null ? null : new PlatformError(data[0], data[1]));
    worker.onerror = (event) => {
      event.preventDefault();
      this.#worker = null;
      this.#finish(new PlatformError("EIO", `sync worker: ${event.message}`));
    };
    return worker;
  }

  #finish(error: PlatformError | null): void {
    const request = this.#running;
    this.#running = null;
    try {
      request?.done(error);
    } finally {
      if (this.#running === null) this.#next();
    }
  }
}
