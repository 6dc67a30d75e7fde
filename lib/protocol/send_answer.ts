import { encodeUtf8, writeI32 } from "./_bytes.ts";
import { decodeUtf8 } from "./_bytes.ts";
import { writeAnswer } from "./answer.ts";
import { offsetMessageId, writeOffsetMessageId } from "./ids.ts";
import { type Output, writeDecimal } from "./output.ts";

const NUMBERS = 160;

const CODE = encodeUtf8('{"code":');
const QUEUE_ID = encodeUtf8(',"extFields":{"queueId":"');
const TRANSACTION_ID = encodeUtf8('","transactionId":"');
const MESSAGE_ID = encodeUtf8('","msgId":"');
const OPAQUE = encodeUtf8('"},"flag":1,"language":"JAVA","opaque":');
const TAIL = encodeUtf8(',"serializeTypeCurrentRPC":"JSON","version":513}');

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

/** Answers to 10 and 310 from byte templates (`SendMessageResponseHeader`, remoting sheet §11.5). */
export class SendAnswer {
  readonly #options: SendAnswerOptions;
  readonly #regionAndOffset: Uint8Array;

  /** Encodes what is constant. */
  constructor(options: SendAnswerOptions) {
    this.#options = options;
    const region = JSON.stringify(options.regionId);
    this.#regionAndOffset = encodeUtf8(`","TRACE_ON":"${options.traceOn}","MSG_REGION":${region},"queueOffset":"`);
  }

  /**
   * Writes the frame for a stored message. transactionId is uniqBytes[uniqStart, uniqEnd), absent when uniqStart < 0;
   * `code` is 0, or 10, 11, 12 for a message that is stored but not safe yet.
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
  ): void {
    const { storeHost, storePort, serializeType } = this.#options;
    if (serializeType === 1) {
      const uniq = uniqStart < 0 ? null : decodeUtf8(uniqBytes, uniqStart, uniqEnd);
      return this.#writeBinary(out, opaque, code, queueId, queueOffset, physicalOffset, uniq);
    }
    const start = out.length;
    out.ensure(NUMBERS + 256 + this.#regionAndOffset.length);
    let { bytes } = out;
    let at = writeDecimal(code, bytes, copy(CODE, bytes, start + 8));
    at = writeDecimal(queueId, bytes, copy(QUEUE_ID, bytes, at));
    if (uniqStart >= 0) {
      out.length = copy(TRANSACTION_ID, bytes, at);
      out.jsonBytes(uniqBytes, uniqStart, uniqEnd);
      out.ensure(NUMBERS + 256 + this.#regionAndOffset.length);
      bytes = out.bytes;
      at = out.length;
    }
    at = writeOffsetMessageId(storeHost, storePort, physicalOffset, bytes, copy(MESSAGE_ID, bytes, at));
    at = writeDecimal(queueOffset, bytes, copy(this.#regionAndOffset, bytes, at));
    at = writeDecimal(opaque, bytes, copy(OPAQUE, bytes, at));
    at = copy(TAIL, bytes, at);
    writeI32(bytes, start, at - start - 4);
    writeI32(bytes, start + 4, at - start - 8);
    out.length = at;
  }

  #writeBinary(
    out: Output,
    opaque: number,
    code: number,
    queueId: number,
    queueOffset: number,
    physicalOffset: number,
    transactionId: string | null,
  ): void {
    const { regionId, traceOn, storeHost, storePort } = this.#options;
    const msgId = offsetMessageId(storeHost, storePort, physicalOffset);
    const fields = { queueId, transactionId, msgId, TRACE_ON: traceOn, MSG_REGION: regionId, queueOffset };
    writeAnswer(out, opaque, { code, fields }, 1);
  }
}

function copy(source: Uint8Array, into: Uint8Array, at: number): number {
  for (let i = 0; i < source.length; i++) into[at + i] = source[i];
  return at + source.length;
}
