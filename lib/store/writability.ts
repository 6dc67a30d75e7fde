/** Why the log may not take messages, strongest first. */
const CAUSES = ["closed", "writeFailed", "flushFailed", "diskFull", "fenced", "readOnly"] as const;

/** One of the reasons not to write. */
export type Cause = (typeof CAUSES)[number];

/** The one state that all writers of the log ask: closed, failing, full, fenced or a slave. */
export class Writability {
  /** The strongest reason in words, null: writable. */
  refusal: string | null = null;
  readonly #reasons: Map<Cause, string> = new Map();

  /** Sets or (null) takes away one reason. */
  set(cause: Cause, reason: string | null): void {
    if (reason === null) this.#reasons.delete(cause);
    else this.#reasons.set(cause, reason);
    const strongest = CAUSES.find((each) => this.#reasons.has(each));
    this.refusal = strongest === undefined ? null : this.#reasons.get(strongest) ?? null;
  }

  has(cause: Cause): boolean {
    return this.#reasons.has(cause);
  }
}
