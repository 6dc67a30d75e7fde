import { readFileSync } from "node:fs";
import type { Logger, Platform } from "@rmq/platform";

/** A terminal's Ctrl-C may come twice at once, from the terminal and from whoever started us (`deno task` passes it on). */
const ONE_SIGNAL_US = 1_000_000;

/**
 * From the first line of a server to its last: SIGINT, SIGTERM or SIGHUP begins an orderly stop, also while it is
 * still starting; another one, a second or more later, ends the process at once.
 */
export class Lifetime {
  readonly #asked: Promise<void>;

  constructor(private readonly platform: Platform, private readonly logger: Logger) {
    const { process } = platform;
    const hangUpIgnored = ignoresHangUp();
    let askedUs = -1;
    this.#asked = new Promise((resolve) => {
      process.onStop((signal) => {
        if (signal === "SIGHUP" && hangUpIgnored) return;
        const nowUs = platform.clock.monotonicUs();
        if (askedUs >= 0) {
          if (nowUs - askedUs >= ONE_SIGNAL_US) process.exit(1);
          return;
        }
        askedUs = nowUs;
        logger.info("stopping", { signal });
        resolve();
      });
    });
  }

  /** Waits for a signal, stops, and ends the process: 0 after a clean stop. */
  async untilStopped(stop: () => Promise<void>): Promise<never> {
    await this.#asked;
    const startUs = this.platform.clock.monotonicUs();
    try {
      await stop();
    } catch (error) {
      this.logger.error("the stop was not clean", { error: error instanceof Error ? error.message : String(error) });
      this.platform.process.exit(1);
    }
    this.logger.info("stopped", { ms: Math.round((this.platform.clock.monotonicUs() - startUs) / 1000) });
    this.platform.process.exit(0);
  }
}

/** Whether this process was started to outlive its terminal (`nohup`, as Apache's scripts are run). */
function ignoresHangUp(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return mask !== undefined && (parseInt(mask.slice(-1), 16) & 1) === 1;
  } catch {
    return false;
  }
}
