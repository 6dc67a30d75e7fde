import type { Header } from "@rmq/protocol";
import { type AnswerTaker, RemotingError, type Response } from "./types.ts";

/** Copies an answer out of its frame, for who waits by a promise. */
export class PromisedAnswer implements AnswerTaker {
  deadlineMs = 0;
  readonly #resolve: (response: Response) => void;
  readonly failed: (error: RemotingError) => void;

  constructor(resolve: (response: Response) => void, reject: (error: RemotingError) => void) {
    this.#resolve = resolve;
    this.failed = reject;
  }

  answered(header: Header): void {
    this.#resolve({
      code: header.code,
      remark: header.remark(),
      fields: header.extEntries(),
      body: header.bodyEnd > header.bodyStart ? header.bytes.slice(header.bodyStart, header.bodyEnd) : null,
      version: header.version,
      language: header.language,
    });
  }
}

/** Our requests that one peer has not answered yet, in our own opaque space. */
export class WaitingRequests {
  readonly #waiting = new Map<number, AnswerTaker>();
  #lastOpaque = 0;
  /** No request expires before this, so that a sweep can pass by. */
  #earliestMs = Infinity;

  get size(): number {
    return this.#waiting.size;
  }

  /** The opaque for the next request. */
  nextOpaque(): number {
    do this.#lastOpaque = (this.#lastOpaque + 1) | 0; while (this.#waiting.has(this.#lastOpaque));
    return this.#lastOpaque;
  }

  /** Throws RemotingError `TOO_MANY_PENDING` when there are as many as may be. */
  refuseBeyond(most: number, peerText: string): void {
    if (this.size < most) return;
    throw new RemotingError("TOO_MANY_PENDING", `${this.size} requests wait for ${peerText}`, true);
  }

  /** Returns the opaque of the request. */
  add(taker: AnswerTaker, deadlineMs: number): number {
    taker.deadlineMs = deadlineMs;
    if (deadlineMs < this.#earliestMs) this.#earliestMs = deadlineMs;
    const opaque = this.nextOpaque();
    this.#waiting.set(opaque, taker);
    return opaque;
  }

  /** Gives a response frame to whom it belongs; false when nobody waits for it. */
  settle(header: Header): boolean {
    const waiting = this.#waiting.get(header.opaque);
    if (waiting === undefined) return false;
    this.#waiting.delete(header.opaque);
    waiting.answered(header);
    return true;
  }

  expire(nowMs: number, peerText: string): void {
    if (nowMs < this.#earliestMs) return;
    this.#earliestMs = Infinity;
    for (const [opaque, waiting] of this.#waiting) {
      if (waiting.deadlineMs <= nowMs) {
        this.#waiting.delete(opaque);
        waiting.failed(new RemotingError("TIMEOUT", `no answer from ${peerText} in time`, true));
      } else if (waiting.deadlineMs < this.#earliestMs) {
        this.#earliestMs = waiting.deadlineMs;
      }
    }
  }

  failAll(error: RemotingError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one.failed(error);
  }
}
