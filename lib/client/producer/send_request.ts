import { FrameFlag, Output, RequestCode, VERSION, writeDecimal } from "@rmq/protocol";
import type { PeerRequest } from "@rmq/remoting";
import { DEFAULT_QUEUES, DEFAULT_TOPIC } from "../network/route_table.ts";
import { LANGUAGE } from "../network/remoting_network.ts";
import type { MessageQueue } from "../network/route.ts";

/** A message, or a batch, ready to be written into a frame. */
export interface Sendable {
  /** 310 single, 320 batch, 325 reply. */
  readonly code: number;
  /** Where it goes. */
  readonly queue: MessageQueue;
  /** Queue number on the wire; −1 leaves it to the broker. */
  readonly queueId: number;
  /** As it is stored. */
  readonly body: Uint8Array;
  /** `name 0x01 value 0x02 …` */
  readonly properties: string;
  /** `MessageSysFlag` bits. */
  readonly sysFlag: number;
  /** The user's flag. */
  readonly flag: number;
  /** ms since 1970 */
  readonly bornAt: number;
}

/** Room for a header's constant parts and numbers. */
const ROOM = 256;
/** Decimal digits of a safe integer, with its sign. */
const DIGITS = 17;

/**
 * Writes requests 310, 320 and 325 in the compact binary form, which every server since 4.0 reads (remoting.md §3), with
 * what is constant for a topic and a broker copied in one piece:
 *
 * | 4 length | 4 type 1, header length | 2 code | 1 language | 2 version | 4 opaque | 4 flag | 4 remark, 0 |
 * | 4 length of fields | { 2+n name | 4+n value } … | body |
 */
export class SendRequests {
  readonly #group: string;
  /** By topic and broker: the constant fields. */
  readonly #constants = new Map<string, Map<string, Uint8Array>>();

  /** `group` is the producer's, with the namespace. */
  constructor(group: string) {
    this.#group = group;
  }

  /** Writes one frame to `out`. */
  write(out: Output, opaque: number, oneway: boolean, message: Sendable): void {
    const constants = this.#constantsOf(message);
    const start = out.length;
    out.ensure(ROOM + constants.length + message.properties.length * 3 + message.body.length);
    out.length += 8;
    out.i16(message.code);
    out.u8(LANGUAGE);
    out.i16(VERSION);
    out.i32(opaque);
    out.i32(oneway ? FrameFlag.ONEWAY : 0);
    out.i32(0);
    const fields = out.length;
    out.length += 4;
    out.raw(constants);
    number(out, 0x65, message.queueId);
    number(out, 0x66, message.sysFlag);
    number(out, 0x67, message.bornAt);
    number(out, 0x68, message.flag);
    if (message.properties !== "") {
      letter(out, 0x69);
      const at = out.length;
      out.length += 4;
      out.text(message.properties);
      i32At(out, at, out.length - at - 4);
    }
    i32At(out, fields, out.length - fields - 4);
    const headerLength = out.length - start - 8;
    out.raw(message.body);
    i32At(out, start, out.length - start - 4);
    i32At(out, start + 4, (1 << 24) | headerLength);
  }

  /** The same request as fields, for those that are signed. */
  request(message: Sendable): PeerRequest {
    const { queue, queueId, body, properties, sysFlag, flag, bornAt } = message;
    return {
      code: message.code,
      language: LANGUAGE,
      fields: {
        ...this.#constantFields(message),
        e: queueId,
        f: sysFlag,
        g: bornAt,
        h: flag,
        i: properties,
        n: queue.brokerName,
      },
      body,
    };
  }

  #constantFields(message: Sendable): Record<string, string> {
    return {
      a: this.#group,
      b: message.queue.topic,
      c: DEFAULT_TOPIC,
      d: String(DEFAULT_QUEUES),
      j: "0",
      k: "false",
      m: String(message.code === RequestCode.SEND_BATCH_MESSAGE),
      n: message.queue.brokerName,
    };
  }

  #constantsOf(message: Sendable): Uint8Array {
    const { topic, brokerName } = message.queue;
    // A batch differs in one field only; its constants stand under a name that no broker has.
    const name = message.code === RequestCode.SEND_BATCH_MESSAGE ? `\n${brokerName}` : brokerName;
    let ofTopic = this.#constants.get(topic);
    if (ofTopic === undefined) {
      // Topics come and go with routes; what is forgotten here is made again.
      if (this.#constants.size >= 1024) this.#constants.clear();
      this.#constants.set(topic, ofTopic = new Map());
    }
    let bytes = ofTopic.get(name);
    if (bytes === undefined) {
      const out = new Output(256);
      for (const [field, value] of Object.entries(this.#constantFields(message))) {
        letter(out, field.charCodeAt(0));
        const at = out.length;
        out.i32(0);
        out.text(value);
        i32At(out, at, out.length - at - 4);
      }
      ofTopic.set(name, bytes = out.take());
    }
    return bytes;
  }
}

function letter(out: Output, letter: number): void {
  out.ensure(8 + DIGITS);
  out.bytes[out.length++] = 0;
  out.bytes[out.length++] = 1;
  out.bytes[out.length++] = letter;
}

function number(out: Output, name: number, value: number): void {
  letter(out, name);
  const at = out.length;
  out.length = writeDecimal(value, out.bytes, at + 4);
  i32At(out, at, out.length - at - 4);
}

function i32At(out: Output, at: number, value: number): void {
  const { bytes } = out;
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
