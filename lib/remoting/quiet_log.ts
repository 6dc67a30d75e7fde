import type { Clock, Logger } from "@rmq/platform";

const QUIET_MS = 10_000;

/** Reports what a peer can cause at will: one line in ten seconds for each kind, with the count of what was left out. */
export class QuietLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kinds = new Map<string, { untilMs: number; leftOut: number }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `message` names the kind and is a constant; what differs goes into `fields`. */
  warn(message: string, fields: Record<string, unknown>): void {
    const nowMs = this.#clock.monotonicUs() / 1000;
    let kind = this.#kinds.get(message);
    if (kind === undefined) this.#kinds.set(message, kind = { untilMs: -Infinity, leftOut: 0 });
    if (nowMs < kind.untilMs) {
      kind.leftOut++;
      return;
    }
    this.#logger.warn(message, kind.leftOut > 0 ? { ...fields, leftOut: kind.leftOut } : fields);
    kind.untilMs = nowMs + QUIET_MS;
    kind.leftOut = 0;
  }
}
