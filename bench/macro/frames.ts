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

function sendFields(topic: string, properties: string, batch: boolean): Record<string, string> {
  return {
    a: "please_rename_unique_group_name",
    b: topic,
    c: "TBW102",
    d: "4",
    e: "0",
    f: "0",
    g: String(Date.now()),
    h: "0",
    i: properties,
    j: "0",
    k: "false",
    m: String(batch),
    n: "broker-a",
  };
}

function properties(connection: number): string {
  return `UNIQ_KEY\u0001${uniqueKey(connection)}\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002`;
}

function body(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => 97 + i % 26);
}

function template(code: number, fields: Record<string, string>, content: Uint8Array, messages: number): Template {
  const frame = encodeRequest(code, fields, content, FIRST_OPAQUE);
  return {
    frame,
    opaqueAt: position(frame, String(FIRST_OPAQUE), position(frame, '"opaque":')),
    queueAt: position(frame, '"e":"') + 5,
    keysAt: positions(frame, "4E0E2F2A700700000000").map((at) => at + 12),
    messages,
  };
}

/** SEND_MESSAGE_V2, what the quick-start producer sends. */
export function sendTemplate(topic: string, size: number, connection: number): Template {
  return template(310, sendFields(topic, properties(connection), false), body(size), 1);
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

/** A PULL_MESSAGE that answers at once, whatever there is. Written anew each time: the offset has no fixed width. */
export class PullFrame {
  readonly #head: Uint8Array;
  readonly #middle: Uint8Array;
  readonly #tail: Uint8Array;
  readonly #out = new Uint8Array(1024);

  constructor(topic: string, queueId: number, count: number) {
    const whole = encodeRequest(
      11,
      {
        queueId: String(queueId),
        maxMsgBytes: "262144",
        maxMsgNums: String(count),
        sysFlag: "4",
        suspendTimeoutMillis: "15000",
        commitOffset: "0",
        bname: "broker-a",
        topic,
        queueOffset: "@",
        subscription: "*",
        expressionType: "TAG",
        subVersion: "0",
        consumerGroup: "please_rename_unique_group_name_4",
      },
      undefined,
      FIRST_OPAQUE,
    );
    const offsetAt = position(whole, "@");
    const opaqueAt = position(whole, String(FIRST_OPAQUE));
    this.#head = whole.slice(0, offsetAt);
    this.#middle = whole.slice(offsetAt + 1, opaqueAt);
    this.#tail = whole.slice(opaqueAt + 9);
  }

  /** Valid until the next call. */
  encode(offset: number, opaque: number): Uint8Array {
    const out = this.#out;
    const digits = offset < 10 ? 1 : Math.floor(Math.log10(offset) + 1e-9) + 1;
    out.set(this.#head);
    let at = this.#head.length;
    writeDigits(out, at, offset, digits);
    at += digits;
    out.set(this.#middle, at);
    at += this.#middle.length;
    writeDigits(out, at, opaque, 9);
    at += 9;
    out.set(this.#tail, at);
    at += this.#tail.length;
    const view = new DataView(out.buffer);
    view.setUint32(0, at - 4);
    view.setUint32(4, at - 8);
    return out.subarray(0, at);
  }
}
