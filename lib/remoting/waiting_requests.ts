import type { Header } from "@rmq/protocol";
import { RemotingError, type Response } from "./types.ts";

interface Waiting {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: RemotingError) => void;
  readonly deadlineMs: number;
}

/** Our requests that one peer has not answered yet, in our own opaque space. */
export class WaitingRequests {
  readonly #waiting = new Map<number, Waiting>();
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

  add(opaque: number, deadlineMs: number): Promise<Response> {
    if (deadlineMs < this.#earliestMs) this.#earliestMs = deadlineMs;
    return new Promise((resolve, reject) => this.#waiting.set(opaque, { resolve, reject, deadlineMs }));
  }

  /** Gives a response frame to whom it belongs; false when nobody waits for it. */
  settle(header: Header): boolean {
    const waiting = this.#waiting.get(header.opaque);
    if (waiting === undefined) return false;
    this.#waiting.delete(header.opaque);
    waiting.resolve({
      code: header.code,
      remark: header.remark(),
      fields: header.extEntries(),
      body: header.bodyEnd > header.bodyStart ? header.bytes.slice(header.bodyStart, header.bodyEnd) : null,
      version: header.version,
      language: header.language,
    });
    return true;
  }

  expire(nowMs: number, peerText: string): void {
    if (nowMs < this.#earliestMs) return;
    this.#earliestMs = Infinity;
    for (const [opaque, waiting] of this.#waiting) {
      if (waiting.deadlineMs <= nowMs) {
        this.#waiting.delete(opaque);
        waiting.reject(new RemotingError("TIMEOUT", `no answer from ${peerText} in time`, true));
      } else if (waiting.deadlineMs < this.#earliestMs) {
        this.#earliestMs = waiting.deadlineMs;
      }
    }
  }

  failAll(error: RemotingError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one.reject(error);
  }
}
