import type { Clock } from "@rmq/platform";
import { ClientError } from "./client_error.ts";

/** The error for a signal that was aborted. */
export function aborted(signal: AbortSignal): ClientError {
  return new ClientError("ABORTED", "the caller gave it up", { cause: signal.reason });
}

/** Throws when the signal was aborted already. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted(signal);
}

/** The outcome, or ClientError `ABORTED` as soon as the signal is; what was begun goes on. */
export function unlessAborted<T>(outcome: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return outcome;
  if (signal.aborted) {
    outcome.catch(() => {});
    return Promise.reject(aborted(signal));
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(aborted(signal));
    signal.addEventListener("abort", abort, { once: true });
    const settled = (): void => signal.removeEventListener("abort", abort);
    outcome.then((value) => {
      settled();
      resolve(value);
    }, (error) => {
      settled();
      reject(error);
    });
  });
}

/** Resolves after `ms`, keeping the process alive; rejects with ClientError `ABORTED` as soon as the signal is. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.reject(aborted(signal));
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel();
      if (signal !== undefined) reject(aborted(signal));
    };
    const timer = clock.setTimer(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, true);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
