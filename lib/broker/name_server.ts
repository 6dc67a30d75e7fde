import type { Clock, Logger, Timer } from "@rmq/platform";
import type { RemotingClient, RemotingConnection } from "@rmq/remoting";

/** Waits between tries while a name server is down; the last one repeats. */
const RETRY_MS = [100, 500, 1000, 2000, 5000];

/** What one name server's registration is made of. */
export interface NameServerOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: Pick<RemotingClient, "connection">;
  readonly periodMs: number;
  /** Registers these topics, or the whole table (null); rejects with the reason. */
  readonly register: (topics: readonly string[] | null) => Promise<void>;
  /** Asked before a periodic registration; true: not needed. null: register always. */
  readonly isKnown: (() => Promise<boolean>) | null;
}

/**
 * One name server and what it still has to hear. One registration at a time; what changes meanwhile is the next one.
 * Its state changes are logged once each.
 */
export class NameServer {
  readonly address: string;
  readonly #options: NameServerOptions;
  /** Topics to tell of; null: the whole table; empty: nothing. */
  #wanted: Set<string> | null = new Set();
  #busy = false;
  #scheduled = false;
  #up: boolean | null = null;
  #failures = 0;
  #timer: Timer | null = null;
  #watched: RemotingConnection | null = null;
  #stopped = false;

  constructor(options: NameServerOptions) {
    this.#options = options;
    this.address = options.address;
  }

  /** First registration; resolves when it succeeded or failed. */
  start(): Promise<void> {
    this.#wanted = null;
    return this.#run(false);
  }

  /** Tells of these topics, or of the whole table (null), when the turn ends. */
  changed(topics: readonly string[] | null): void {
    if (topics === null) this.#wanted = null;
    else for (const topic of topics) this.#wanted?.add(topic);
    // Before its first registration, and while it is down, a name server gets the whole table anyway.
    if (this.#up !== true || this.#busy || this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#options.clock.afterTurn(() => {
      this.#scheduled = false;
      this.#run(false);
    });
  }

  /** Registers no more; true: the name server knows the broker. */
  stop(): boolean {
    this.#stopped = true;
    this.#timer?.cancel();
    return this.#up === true;
  }

  async #run(periodic: boolean): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    this.#timer?.cancel();
    const wanted = this.#up === true ? this.#wanted : null;
    this.#wanted = new Set();
    try {
      const known = periodic && this.#options.isKnown !== null && await this.#options.isKnown();
      if (!known) await this.#options.register(wanted === null ? null : [...wanted]);
      await this.#watch();
      this.#succeeded();
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
    }
    this.#busy = false;
    this.#plan();
  }

  /** Hears when the connection goes, to register again at once. */
  async #watch(): Promise<void> {
    const connection = await this.#options.client.connection(this.address);
    if (connection === this.#watched) return;
    this.#watched = connection;
    connection.onClose(() => {
      if (this.#watched !== connection) return;
      this.#watched = null;
      if (this.#stopped || this.#busy) return;
      this.#failed("the connection was lost");
      this.#plan();
    });
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#up !== true) this.#options.logger.info("registered with the name server", { namesrv: this.address });
    this.#up = true;
  }

  #failed(cause: string): void {
    this.#failures++;
    this.#wanted = null;
    if (this.#up !== false && !this.#stopped) {
      this.#options.logger.warn("a name server can't be reached, trying again", { namesrv: this.address, cause });
    }
    this.#up = false;
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    if (this.#up === true && (this.#wanted === null || this.#wanted.size > 0)) return void this.#run(false);
    const periodic = this.#up === true;
    const wait = periodic ? this.#options.periodMs : RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1];
    this.#timer = this.#options.clock.setTimer(wait, () => {
      // The period's registration is a whole one.
      this.#wanted = null;
      this.#run(periodic);
    });
  }
}
