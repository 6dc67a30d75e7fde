import type { Clock } from "@rmq/platform";
import { readRegistrationBody, readTopics } from "./registration_body.ts";
import type { RegisteredTopic, RegistrationBody } from "./route_types.ts";

/** A body beyond this is read a piece a turn. */
export const SLICED_BYTES = 256 * 1024;
const SCAN_BYTES = 256 * 1024;
const GROUP_BYTES = 64 * 1024;

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const COMMA = 0x2c;
const SLASH = 0x2f;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

const TABLE = new TextEncoder().encode("topicConfigTable");
/** The table is a member of a member of the whole. */
const TABLE_DEPTH = 3;

/**
 * Reads the JSON body of 103 without holding the loop: finds the topic table, parses it in groups of topics, and the
 * rest in one go. `done` gets the body or the error that reading it as a whole would have thrown.
 */
export function readInSlices(
  bytes: Uint8Array,
  version: number,
  clock: Clock,
  done: (read: () => RegistrationBody) => void,
): void {
  const scan = new TableScan(bytes);
  const topics: RegisteredTopic[] = [];
  let next = 0;
  const whole = (): void => done(() => readRegistrationBody(bytes, version));
  const step = (): void => {
    const found = scan.step(SCAN_BYTES);
    if (found === "odd") return whole();
    if (found === "more") return void clock.setTimer(0, step);
    group();
  };
  const group = (): void => {
    const range = scan.groups[next++];
    if (range === undefined) return done(() => ({ ...readRegistrationBody(scan.rest(), version), topics }));
    try {
      for (const topic of readTopics(bytes, ...range)) topics.push(topic);
    } catch {
      return whole();
    }
    clock.setTimer(0, group);
  };
  step();
}

/** Looks for the topic table in standard JSON, without parsing it. */
class TableScan {
  /** Ranges of whole members of the table. */
  readonly groups: [start: number, end: number][] = [];
  readonly #bytes: Uint8Array;
  #at = 0;
  #depth = 0;
  #stringStart = -1;
  #lastString: readonly [number, number] = [0, 0];
  #key: readonly [number, number] = [0, 0];
  #tableStart = -1;
  #tableEnd = -1;
  #groupStart = -1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes on for so many bytes. "odd": no table, two of them, or JSON that is not standard. */
  step(count: number): "more" | "done" | "odd" {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + count);
    for (; this.#at < end; this.#at++) {
      const byte = bytes[this.#at]!;
      if (this.#stringStart >= 0) this.#inString(byte);
      else if (!this.#outside(byte)) return "odd";
    }
    if (this.#at < bytes.length) return "more";
    return this.#tableEnd > 0 && this.#depth === 0 ? "done" : "odd";
  }

  /** Everything but the members of the table. */
  rest(): Uint8Array {
    const bytes = this.#bytes;
    const rest = new Uint8Array(bytes.length - (this.#tableEnd - this.#tableStart));
    rest.set(bytes.subarray(0, this.#tableStart));
    rest.set(bytes.subarray(this.#tableEnd), this.#tableStart);
    return rest;
  }

  #inString(byte: number): void {
    if (byte === BACKSLASH) {
      this.#at++;
    } else if (byte === QUOTE) {
      this.#lastString = [this.#stringStart, this.#at];
      this.#stringStart = -1;
    }
  }

  #outside(byte: number): boolean {
    switch (byte) {
      case QUOTE:
        this.#stringStart = this.#at + 1;
        return true;
      case COLON:
        this.#key = this.#lastString;
        return true;
      case OPEN:
      case OPEN_LIST:
        this.#depth++;
        return byte === OPEN_LIST || this.#depth !== TABLE_DEPTH || !this.#isTableKey() || this.#openTable();
      case CLOSE:
      case CLOSE_LIST:
        if (this.#groupStart >= 0 && this.#depth === TABLE_DEPTH) this.#closeTable();
        return --this.#depth >= 0;
      case COMMA:
        if (this.#depth === TABLE_DEPTH && this.#groupStart >= 0) this.#endGroup();
        return true;
      default:
        return byte !== APOSTROPHE && byte !== SLASH;
    }
  }

  #isTableKey(): boolean {
    const [start, end] = this.#key;
    return end - start === TABLE.length && TABLE.every((byte, i) => this.#bytes[start + i] === byte);
  }

  #openTable(): boolean {
    if (this.#tableStart >= 0) return false;
    this.#tableStart = this.#groupStart = this.#at + 1;
    return true;
  }

  #closeTable(): void {
    this.groups.push([this.#groupStart, this.#at]);
    this.#tableEnd = this.#at;
    this.#groupStart = -1;
  }

  #endGroup(): void {
    if (this.#at - this.#groupStart < GROUP_BYTES) return;
    this.groups.push([this.#groupStart, this.#at]);
    this.#groupStart = this.#at + 1;
  }
}
