import { Header, Output, parseOffsetMessageId, ResponseCode, writeAnswer } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";

/** Released bytes at which a hold that is never empty moves the rest to the front. */
const COMPACT_BYTES = 32 * 1024;

/**
 * Success answers of one connection that are encoded but may not leave yet: their messages have to reach a rung of the
 * store's ladder first. One mark stands for all answers of one write to the log, so nothing is made per message.
 */
class HeldAnswers {
  readonly out = new Output(1024);
  /** Marks, oldest first: answers up to byte `ends[i]` wait until the rung reaches `needs[i]` (physical offset). */
  private needs: number[] = [];
  private ends: number[] = [];
  private since: number[] = [];
  /** `written` of the store when the newest mark was opened: the mark is closed as soon as it moves. */
  private openedAt = -1;
  private first = 0;
  private released = 0;

  get empty(): boolean {
    return this.first === this.needs.length;
  }

  /** Notes that what was just encoded into `out` needs the rung at `need`. */
  mark(need: number, written: number, nowUs: number): void {
    const last = this.needs.length - 1;
    if (this.openedAt === written && last >= this.first) {
      this.needs[last] = need;
      this.ends[last] = this.out.length;
      return;
    }
    this.openedAt = written;
    this.needs.push(need);
    this.ends.push(this.out.length);
    this.since.push(nowUs);
  }

  /** Moves to `connection.out` what waited for at most `rung`. */
  release(rung: number, connection: RemotingConnection): void {
    let to = -1;
    while (this.first < this.needs.length && this.needs[this.first] <= rung) to = this.ends[this.first++];
    if (to < 0) return;
    connection.out.raw(this.out.bytes, this.released, to);
    connection.touch();
    this.forget(to);
  }

  /** Takes out the frames that opened before `beforeUs` (all: Infinity) and hands them over, oldest first. */
  takeOlder(beforeUs: number, each: (bytes: Uint8Array, start: number, end: number) => void): void {
    let to = -1;
    while (this.first < this.needs.length && this.since[this.first] < beforeUs) to = this.ends[this.first++];
    if (to < 0) return;
    forEachFrame(this.out.bytes, this.released, to, each);
    this.forget(to);
  }

  /** Takes out the frames of marks that need more than `from` and hands them over. */
  takeBeyond(from: number, each: (bytes: Uint8Array, start: number, end: number, since: number) => void): void {
    let keep = this.needs.length;
    while (keep > this.first && this.needs[keep - 1] > from) keep--;
    if (keep === this.needs.length) return;
    const start = keep === this.first ? this.released : this.ends[keep - 1];
    const taken = this.out.bytes.slice(start, this.out.length);
    const since = this.since[keep];
    this.out.length = start;
    this.needs.length = this.ends.length = this.since.length = keep;
    this.openedAt = -1;
    if (this.empty) this.reset();
    forEachFrame(taken, 0, taken.length, (bytes, start, end) => each(bytes, start, end, since));
  }

  private forget(to: number): void {
    this.released = to;
    if (this.empty) this.reset();
    else if (this.first > 1024 || this.released > COMPACT_BYTES && this.released * 2 > this.out.length) this.compact();
  }

  private reset(): void {
    this.needs.length = this.ends.length = this.since.length = 0;
    this.first = 0;
    this.released = 0;
    this.openedAt = -1;
    // A burst must not keep its buffer for the life of an idle connection.
    if (this.out.bytes.length > 64 * 1024) this.out.take();
    this.out.length = 0;
  }

  private compact(): void {
    this.out.bytes.copyWithin(0, this.released, this.out.length);
    this.out.length -= this.released;
    this.needs = this.needs.slice(this.first);
    this.ends = this.ends.slice(this.first).map((end) => end - this.released);
    this.since = this.since.slice(this.first);
    this.first = 0;
    this.released = 0;
  }
}

function forEachFrame(
  bytes: Uint8Array,
  start: number,
  end: number,
  each: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  for (let at = start; at + 4 <= end;) {
    const length = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    each(bytes, at, at + 4 + length);
    at += 4 + length;
  }
}

/** The held answers of one connection: those that wait until their message is visible, and those (WAIT=false) that wait for written. */
export class AnswerHold {
  private readonly untilVisible = new HeldAnswers();
  private readonly untilWritten = new HeldAnswers();
  private readonly header = new Header();
  /** Stands in the broker's list of connections with held answers. */
  listed = false;

  constructor(private readonly connection: RemotingConnection) {}

  get empty(): boolean {
    return this.untilVisible.empty && this.untilWritten.empty;
  }

  /** Where to encode the next answer. `wait`: until visible; otherwise until written. */
  output(wait: boolean): Output {
    return wait ? this.untilVisible.out : this.untilWritten.out;
  }

  /** To be called after an answer was encoded; `need` is the physical offset behind its message, `written` the store's rung now. */
  mark(wait: boolean, need: number, written: number, nowUs: number): void {
    (wait ? this.untilVisible : this.untilWritten).mark(need, written, nowUs);
  }

  /** Lets go what reached its rung. */
  release(visible: number, written: number): void {
    this.untilVisible.release(visible, this.connection);
    this.untilWritten.release(written, this.connection);
  }

  /** Answers that have waited since before `beforeUs` leave with code 10: stored, but not on disk in time. */
  expire(beforeUs: number): void {
    this.untilVisible.takeOlder(beforeUs, (bytes, start, end) => {
      this.rewrite(bytes, start, end, ResponseCode.FLUSH_DISK_TIMEOUT, null);
    });
  }

  /** The messages at or beyond physical offset `from` are gone: their answers become code 14. */
  rollback(from: number, cause: string): void {
    const fail = (bytes: Uint8Array, start: number, end: number, since: number) => {
      this.rewrite(bytes, start, end, ResponseCode.SERVICE_NOT_AVAILABLE, cause, from, since);
    };
    this.untilVisible.takeBeyond(from, fail);
    this.untilWritten.takeBeyond(from, fail);
  }

  private rewrite(
    bytes: Uint8Array,
    start: number,
    end: number,
    code: number,
    remark: string | null,
    onlyFrom = -1,
    since = 0,
  ): void {
    const header = this.header;
    header.read(bytes, start, end);
    const fields = Object.fromEntries(header.extEntries());
    if (onlyFrom >= 0) {
      const { offset } = parseOffsetMessageId((fields.msgId ?? "").split(",")[0]);
      if (offset < onlyFrom) {
        // Of the same mark, but before the cut: it stays stored, and its success may not leave before it is visible.
        return this.keep(bytes, start, end, offset + 1, since);
      }
    }
    writeAnswer(this.connection.out, header.opaque, {
      code,
      remark,
      fields: onlyFrom >= 0 ? { MSG_REGION: fields.MSG_REGION, TRACE_ON: fields.TRACE_ON } : fields,
    });
    this.connection.touch();
  }

  private keep(bytes: Uint8Array, start: number, end: number, need: number, since: number): void {
    this.untilVisible.out.raw(bytes, start, end);
    this.untilVisible.mark(need, -1, since);
  }
}
