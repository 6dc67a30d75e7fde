/** Request frames as the Java client 5.5.0 writes them, with the positions of what changes from one to the next. */
import { encodeRequest } from "../../scripts/peers/request.ts";

/** Opaques have nine digits always, so that they are patched in place. */
export const FIRST_OPAQUE = 100_000_000;
const OPAQUE_ROOM = 800_000_000;

export function opaqueOf(sequence: number): number {
  return FIRST_OPAQUE + sequence % OPAQUE_ROOM;
}

export interface Template {
  frame: Uint8Array;
  opaqueAt: number;
  /** One digit. */
  queueAt: number;
  /** A digit that goes round from one message to the next, -1: none. */
  digitAt: number;
  /** First of the last eight hexadecimal digits of each UNIQ_KEY. */
  keysAt: number[];
  messages: number;
}

function position(frame: Uint8Array, text: string, from = 0): number {
  const wanted = new TextEncoder().encode(text);
  for (let i = from; i <= frame.length - wanted.length; i++) {
    let j = 0;
    while (j < wanted.length && frame[i + j] === wanted[j]) j++;
    if (j === wanted.length) return i;
  }
  return -1;
}

function positions(frame: Uint8Array, text: string): number[] {
  const found: number[] = [];
  for (let at = position(frame, text); at >= 0; at = position(frame, text, at + 1)) found.push(at);
  return found;
}

/** `7F000001`, four digits a connection, a fixed middle, and eight digits that count. */
function uniqueKey(connection: number): string {
  return `7F000001${connection.toString(16).toUpperCase().padStart(4, "0")}4E0E2F2A7007${"0".repeat(8)}`;
}

/** The producer group of every send. */
export const GROUP = "please_rename_unique_group_name";

function sendFields(topic: string, properties: string, batch: boolean, sysFlag = 0): Record<string, string> {
  return {
    a: GROUP,
    b: topic,
    c: "TBW102",
    d: "4",
    e: "0",
    f: String(sysFlag),
    g: String(Date.now()),
    h: "0",
    i: properties,
    j: "0",
    k: "false",
    m: String(batch),
    n: "broker-a",
  };
}

function properties(connection: number, more: Properties = {}): string {
  const all = { UNIQ_KEY: uniqueKey(connection), WAIT: "true", TAGS: "TagA", ...more };
  return Object.entries(all).map(([name, value]) => `${name}\u0001${value}\u0002`).join("");
}

/** Properties beyond the usual ones; a `#` in a value stands for a digit that goes round. */
export type Properties = Readonly<Record<string, string>>;

function body(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => 97 + i % 26);
}

const HASH = 35;

function template(code: number, fields: Record<string, string>, content: Uint8Array, messages: number): Template {
  const frame = encodeRequest(code, fields, content, FIRST_OPAQUE);
  return {
    frame,
    opaqueAt: position(frame, String(FIRST_OPAQUE), position(frame, '"opaque":')),
    queueAt: position(frame, '"e":"') + 5,
    digitAt: content.includes(HASH) ? -1 : position(frame, "#"),
    keysAt: positions(frame, "4E0E2F2A700700000000").map((at) => at + 12),
    messages,
  };
}

/** SEND_MESSAGE_V2, what the quick-start producer sends. */
export function sendTemplate(topic: string, size: number, connection: number, more: Properties = {}): Template {
  return template(310, sendFields(topic, properties(connection, more), false), body(size), 1);
}

const TRANSACTION_PREPARED = 4;

/** The half message of a transaction, as `TransactionMQProducer` sends it. */
export function halfTemplate(topic: string, size: number, connection: number): Template {
  const text = properties(connection, { TRAN_MSG: "true", PGROUP: GROUP });
  return template(310, sendFields(topic, text, false, TRANSACTION_PREPARED), body(size), 1);
}

/** SEND_BATCH_MESSAGE of `count` messages. */
export function batchTemplate(topic: string, size: number, connection: number, count: number): Template {
  const text = new TextEncoder().encode(properties(connection));
  const one = new Uint8Array(4 + 4 + 4 + 4 + 4 + size + 2 + text.length);
  const view = new DataView(one.buffer);
  view.setUint32(0, one.length);
  view.setUint32(16, size);
  one.set(body(size), 20);
  view.setUint16(20 + size, text.length);
  one.set(text, 22 + size);
  const all = new Uint8Array(one.length * count);
  for (let i = 0; i < count; i++) all.set(one, i * one.length);
  const outer = `UNIQ_KEY\u0001${uniqueKey(connection)}\u0002WAIT\u0001true\u0002`;
  return template(320, sendFields(topic, outer, true), all, count);
}

export function writeDigits(frame: Uint8Array, at: number, value: number, digits: number): void {
  for (let i = at + digits - 1; i >= at; i--) {
    const rest = (value / 10) | 0;
    frame[i] = 48 + value - rest * 10;
    value = rest;
  }
}

const HEX = new TextEncoder().encode("0123456789ABCDEF");

export function writeHex(frame: Uint8Array, at: number, value: number): void {
  for (let i = at + 7; i >= at; i--) {
    frame[i] = HEX[value & 15];
    value >>>= 4;
  }
}

/** A frame without body whose opaque and some other numbers have no fixed width: written anew each time. */
class NumbersFrame {
  readonly #parts: Uint8Array[] = [];
  readonly #out = new Uint8Array(2048);

  /** `@` in a value stands for a number, in the order of the fields; the opaque comes last. */
  constructor(code: number, fields: Record<string, string>) {
    const whole = encodeRequest(code, fields, undefined, FIRST_OPAQUE);
    let from = 0;
    for (let at = position(whole, "@"); at >= 0; at = position(whole, "@", from)) {
      this.#parts.push(whole.slice(from, at));
      from = at + 1;
    }
    const opaqueAt = position(whole, String(FIRST_OPAQUE), from);
    this.#parts.push(whole.slice(from, opaqueAt), whole.slice(opaqueAt + 9));
  }

  /** Valid until the next call. */
  encode(first: number, second: number, opaque: number): Uint8Array {
    const out = this.#out;
    const parts = this.#parts;
    let at = 0;
    for (let i = 0; i < parts.length; i++) {
      out.set(parts[i], at);
      at += parts[i].length;
      if (i === parts.length - 1) break;
      const value = i === parts.length - 2 ? opaque : i === 0 ? first : second;
      const digits = value < 10 ? 1 : Math.floor(Math.log10(value) + 1e-9) + 1;
      writeDigits(out, at, value, digits);
      at += digits;
    }
    const view = new DataView(out.buffer);
    view.setUint32(0, at - 4);
    view.setUint32(4, at - 8);
    return out.subarray(0, at);
  }
}

/** END_TRANSACTION that commits, and wants an answer (the Java client wants none). */
export class CommitFrame {
  readonly #frame: NumbersFrame;

  constructor(topic: string, connection: number) {
    this.#frame = new NumbersFrame(37, {
      producerGroup: GROUP,
      bname: "broker-a",
      commitLogOffset: "@",
      topic,
      msgId: uniqueKey(connection),
      tranStateTableOffset: "@",
      commitOrRollback: "8",
      transactionId: uniqueKey(connection),
      fromTransactionCheck: "false",
    });
  }

  /** For the half message at these offsets, bytes of the log and index in its queue. Valid until the next call. */
  encode(physicalOffset: number, queueOffset: number, opaque: number): Uint8Array {
    return this.#frame.encode(physicalOffset, queueOffset, opaque);
  }
}

/** A PULL_MESSAGE that answers at once, whatever there is. */
export class PullFrame {
  readonly #frame: NumbersFrame;

  /** `sql`: a SQL92 expression instead of all tags. */
  constructor(topic: string, queueId: number, count: number, sql: string | null) {
    this.#frame = new NumbersFrame(11, {
      queueId: String(queueId),
      maxMsgBytes: "262144",
      maxMsgNums: String(count),
      sysFlag: "4",
      suspendTimeoutMillis: "15000",
      commitOffset: "0",
      bname: "broker-a",
      topic,
      queueOffset: "@",
      subscription: sql ?? "*",
      expressionType: sql === null ? "TAG" : "SQL92",
      subVersion: "0",
      consumerGroup: `${GROUP}_4`,
    });
  }

  /** Valid until the next call. */
  encode(offset: number, opaque: number): Uint8Array {
    return this.#frame.encode(offset, 0, opaque);
  }
}
