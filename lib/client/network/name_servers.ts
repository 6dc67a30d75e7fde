import type { Logger, Platform } from "@rmq/platform";
import type { PeerRequest, Response } from "@rmq/remoting";
import { ClientError } from "../client_error.ts";
import { sleep } from "../waiting.ts";
import { BackOff } from "./back_off.ts";

/** One request to one address; rejects when there is no answer in time. */
export type Ask = (address: string, request: PeerRequest, timeoutMs: number) => Promise<Response>;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/**
 * The name servers: one is asked as long as it answers, then the next. (NettyRemotingClient.getAndCreateNameserverChannel)
 */
export class NameServers {
  readonly #platform: Platform;
  readonly #addresses: readonly string[];
  readonly #ask: Ask;
  readonly #logger: Logger;
  #current: number;
  #failing = false;

  constructor(platform: Platform, addresses: readonly string[], ask: Ask, logger: Logger) {
    this.#platform = platform;
    this.#addresses = addresses;
    this.#ask = ask;
    this.#logger = logger;
    this.#current = platform.random.below(addresses.length);
  }

  /** The one that is asked first. */
  get current(): string {
    return this.#addresses[this.#current];
  }

  /**
   * Asks all in turn, with pauses between the rounds, until one answers or `timeoutMs` is over. Rejects with
   * ClientError `NAMESRV_UNREACHABLE`, `ABORTED`.
   */
  async ask(request: PeerRequest, timeoutMs: number, signal?: AbortSignal): Promise<Response> {
    const { clock, random } = this.#platform;
    const untilMs = clock.monotonicUs() / 1000 + timeoutMs;
    const backOff = new BackOff(random, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    for (;;) {
      let cause: unknown;
      for (let i = 0; i < this.#addresses.length; i++) {
        const leftMs = untilMs - clock.monotonicUs() / 1000;
        if (leftMs <= 0) break;
        // One that hangs leaves time for the others.
        const shareMs = Math.ceil(leftMs / (this.#addresses.length - i));
        try {
          const response = await this.#ask(this.current, request, shareMs);
          this.#failing = false;
          return response;
        } catch (error) {
          if (error instanceof ClientError && (error.code === "CLOSED" || error.code === "ABORTED")) throw error;
          cause = error;
          this.#current = (this.#current + 1) % this.#addresses.length;
        }
      }
      const pauseMs = backOff.nextMs();
      if (clock.monotonicUs() / 1000 + pauseMs >= untilMs) throw this.#unreachable(cause);
      await sleep(clock, pauseMs, signal);
    }
  }

  #unreachable(cause: unknown): ClientError {
    const addresses = this.#addresses.join(", ");
    const reason = cause instanceof Error ? cause.message : "no answer in time";
    if (!this.#failing) this.#logger.warn("no name server answers", { addresses, reason });
    this.#failing = true;
    return new ClientError("NAMESRV_UNREACHABLE", `none of ${addresses} answers: ${reason}`, { cause });
  }
}
