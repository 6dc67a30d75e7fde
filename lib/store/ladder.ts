/**
 * The ladder of offsets of the log (design §4.2): minOffset ≤ durable ≤ written ≤ appended, and visible, which never
 * passes durable with SYNC_FLUSH nor written with ASYNC_FLUSH. Every move goes through here; a move that would break
 * an order is a fault of ours and throws.
 */
export class Ladder {
  /** End of what was encoded into the tail. */
  appended: number;
  /** End of what the operating system took. */
  written: number;
  /** End of what is on disk, without a hole below. */
  durable: number;
  /** End of what the followers took and readers see. */
  visible: number;

  constructor(end: number, private readonly visibleWhenDurable: boolean) {
    this.appended = end;
    this.written = end;
    this.durable = end;
    this.visible = end;
  }

  /** Recovery found the end of the log. */
  restart(end: number): void {
    this.appended =
      this.written =
      this.durable =
      this.visible =
        end;
  }

  /** How far visible may move. */
  get visibleTarget(): number {
    return this.visibleWhenDurable ? this.durable : this.written;
  }

  /** One more entry, or the rest of a segment, was appended. */
  append(end: number): void {
    this.#hold(end > this.appended, "appended must grow", end);
    this.appended = end;
  }

  /** All up to `end` was written. */
  write(end: number): void {
    this.#hold(end >= this.written && end <= this.appended, "written must grow up to appended", end);
    this.written = end;
  }

  /** All up to `end` is on disk. */
  sync(end: number): void {
    this.#hold(end >= this.durable && end <= this.written, "durable must grow up to written", end);
    this.durable = end;
  }

  /** The followers took all up to `end`. */
  show(end: number): void {
    this.#hold(end >= this.visible && end <= this.visibleTarget, "visible must grow up to its target", end);
    this.visible = end;
  }

  /** What was appended but not written is gone; returns the new end. */
  rollBack(): number {
    this.appended = this.written;
    return this.appended;
  }

  #hold(condition: boolean, rule: string, value: number): void {
    if (condition) return;
    throw new Error(
      `ladder: ${rule}: ${value} (appended ${this.appended}, written ${this.written}, durable ${this.durable}, visible ${this.visible})`,
    );
  }
}
