import type { Clock, Platform } from "@rmq/platform";
import { UniqueId } from "@rmq/protocol";
import { ownAddress } from "./client_id.ts";

const DAY_MS = 86_400_000;

/** Ids of messages in Java's layout, unique over machines and processes. (MessageClientIDSetter) */
export class UniqueIds {
  readonly #clock: Clock;
  readonly #ids: UniqueId;
  #monthStartMs = 0;
  /** When the month must be looked at again; the earliest time that a month can end. */
  #checkMs = 0;

  constructor(platform: Platform) {
    this.#clock = platform.clock;
    const address = Uint8Array.from(ownAddress(platform).split("."), Number);
    const { random, process } = platform;
    this.#ids = new UniqueId(address, process.pid & 0xffff, random.below(0x7fffffff), random.below(0x10000));
  }

  /** The next id, for a message that is made now. */
  next(nowMs: number): string {
    if (nowMs >= this.#checkMs || nowMs < this.#monthStartMs) this.#findMonth(nowMs);
    return this.#ids.next(nowMs - this.#monthStartMs);
  }

  #findMonth(nowMs: number): void {
    const { day, hour, minute, second, millisecond } = this.#clock.localTime(nowMs);
    const sinceMidnightMs = ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
    this.#monthStartMs = nowMs - sinceMidnightMs - (day - 1) * DAY_MS;
    this.#checkMs = nowMs - sinceMidnightMs + DAY_MS;
  }
}
