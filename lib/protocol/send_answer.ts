import { decodeUtf8, encodeUtf8, writeI32 } from "./_bytes.ts";
import { writeAnswer } from "./answer.ts";
import { offsetMessageId } from "./ids.ts";
import { type Output, writeDecimal } from "./output.ts";

/** Room for the numbers, the unique key's end and what is constant behind it. */
const REST = 256;

const HEX = encodeUtf8("0123456789ABCDEF");
const QUEUE_ID = encodeUtf8('","queueId":"');
const QUEUE_OFFSET = encodeUtf8('","queueOffset":"');
const OPAQUE = encodeUtf8('"},"flag":1,"language":"JAVA","opaque":');
const TAIL = encodeUtf8(',"serializeTypeCurrentRPC":"JSON","version":513}');
const OFFSET_DIGITS = 16;

/** What the answers of one broker have in common. */
export interface SendAnswerOptions {
  /** `MSG_REGION` of each answer. */
  regionId: string;
  /** `TRACE_ON` of each answer. */
  traceOn: boolean;
  /** Address in message ids, 4 or 16 bytes. */
  storeHost: Uint8Array;
  /** Port in message ids. */
  storePort: number;
  /** Default JSON. */
  serializeType?: 0 | 1;
}

/**
 * Answers to 10 and 310 from byte templates (`SendMessageResponseHeader`, remoting sheet §11.5): what is constant comes
 * first and is copied in one piece, then what varies.
 */
export class SendAnswer {
  readonly #options: SendAnswerOptions;
  /** A frame up to the message id's offset digits, these included. */
  readonly #head: Uint8Array;
  /** The same up to the transaction id's value. */
  readonly #headWithId: Uint8Array;

  /** Encodes what all answers have in common. */
  constructor(options: SendAnswerOptions) {
    this.#options = options;
    const region = JSON.stringify(options.regionId);
    const messageId = offsetMessageId(options.storeHost, options.storePort, 0);
    const head = `\0\0\0\0\0\0\0\0{"code":0,"extFields":{"TRACE_ON":"${options.traceOn}","MSG_REGION":${region},` +
      `"msgId":"${messageId}`;
    this.#head = encodeUtf8(head);
    this.#headWithId = encodeUtf8(`${head}","transactionId":"`);
  }

  /**
   * Writes the frame for a stored message. transactionId is uniqBytes[uniqStart, uniqEnd), absent when uniqStart < 0;
   * `code` is 0, or 10, 11, 12 for a message that is stored but not safe yet; `recallHandle` is a timer message's.
   */
  write(
    out: Output,
    opaque: number,
    code: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    uniqBytes: Uint8Array,
    uniqStart: number,
    uniqEnd: number,
    recallHandle: string | null = null,
  ): void {
    if (code !== 0 || recallHandle !== null || this.#options.serializeType === 1) {
      const uniq = uniqStart < 0 ? null : decodeUtf8(uniqBytes, uniqStart, uniqEnd);
      return this.#writeSlowly(out, opaque, code, queueId, queueOffset, physicalOffset, uniq, recallHandle);
    }
    const start = out.length;
    const head = uniqStart < 0 ? this.#head : this.#headWithId;
    out.ensure(head.length + (uniqEnd - uniqStart) * 6 + REST);
    out.bytes.set(head, start);
    writeHex64(physicalOffset, out.bytes, start + this.#head.length - OFFSET_DIGITS);
    out.length = start + head.length;
    if (uniqStart >= 0) out.jsonBytes(uniqBytes, uniqStart, uniqEnd);
    const { bytes } = out;
    let at = writeDecimal(queueId, bytes, copy(QUEUE_ID, bytes, out.length));
    at = writeDecimal(queueOffset, bytes, copy(QUEUE_OFFSET, bytes, at));
    at = writeDecimal(opaque, bytes, copy(OPAQUE, bytes, at));
    bytes.set(TAIL, at);
    at += TAIL.length;
    writeI32(bytes, start, at - start - 4);
    writeI32(bytes, start + 4, at - start - 8);
    out.length = at;
  }

  #writeSlowly(
    out: Output,
    opaque: number,
    code: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    transactionId: string | null,
    recallHandle: string | null,
  ): void {
    const { regionId, traceOn, storeHost, storePort, serializeType } = this.#options;
    const msgId = offsetMessageId(storeHost, storePort, physicalOffset);
    const fields = {
      queueId,
      transactionId,
      msgId,
      TRACE_ON: traceOn,
      MSG_REGION: regionId,
      recallHandle,
      queueOffset,
    };
    writeAnswer(out, opaque, { code, fields }, serializeType);
  }
}

/** Sixteen hex digits of a safe integer. */
function writeHex64(value: number, into: Uint8Array, at: number): void {
  let low = value | 0;
  let high = ((value - (value >>> 0)) / 4294967296) | 0;
  for (let p = at + 7; p >= at; p--) {
    into[p] = HEX[high & 15];
    into[p + 8] = HEX[low & 15];
    high >>>= 4;
    low >>>= 4;
  }
}

function copy(source: Uint8Array, into: Uint8Array, at: number): number {
  for (let i = 0; i < source.length; i++) into[at + i] = source[i];
  return at + source.length;
}
