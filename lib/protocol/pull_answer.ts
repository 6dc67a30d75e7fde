import { encodeUtf8, writeI32 } from "./_bytes.ts";
import { writeAnswer } from "./answer.ts";
import { type Output, writeDecimal } from "./output.ts";

const ROOM = 512;

const CODE = encodeUtf8('{"code":');
const SUGGEST = encodeUtf8(',"extFields":{"suggestWhichBrokerId":"');
const GROUP_SYS_FLAG = encodeUtf8('","groupSysFlag":"');
const NEXT_BEGIN_OFFSET = encodeUtf8('","nextBeginOffset":"');
const MAX_OFFSET = encodeUtf8('","maxOffset":"');
const MIN_OFFSET = encodeUtf8('","minOffset":"');
const TOPIC_SYS_FLAG = encodeUtf8('","topicSysFlag":"');
const OPAQUE = encodeUtf8('"},"flag":1,"language":"JAVA","opaque":');
const REMARK = encodeUtf8(',"remark":"');
const TAIL = encodeUtf8('","serializeTypeCurrentRPC":"JSON","version":513}');

/** Answers to 11 and 361 from byte templates (`PullMessageResponseHeader`, remoting sheet §12.1). */
export class PullAnswer {
  readonly #serializeType: 0 | 1;
  readonly #remarks = new Map<string, Uint8Array>();

  /** `serializeType` of the answering process, default JSON. */
  constructor(options: { serializeType?: 0 | 1 } = {}) {
    this.#serializeType = options.serializeType ?? 0;
  }

  /**
   * Writes everything of the frame that stands before the body, its length included; the caller appends `bodyLength`
   * bytes. `status` is one of GetMessageStatus ("FOUND"), constant text.
   */
  write(
    out: Output,
    opaque: number,
    code: number,
    status: string,
    suggestWhichBrokerId: number,
    nextBeginOffset: number,
    minOffset: number,
    maxOffset: number,
    topicSysFlag: number,
    groupSysFlag: number,
    bodyLength: number,
  ): void {
    const start = out.length;
    if (this.#serializeType === 1) {
      const fields = { suggestWhichBrokerId, groupSysFlag, nextBeginOffset, maxOffset, minOffset, topicSysFlag };
      writeAnswer(out, opaque, { code, remark: status, fields }, 1);
      writeI32(out.bytes, start, out.length - start - 4 + bodyLength);
      return;
    }
    const remark = this.#remark(status);
    out.ensure(ROOM + remark.length);
    const { bytes } = out;
    let at = number(CODE, code, bytes, start + 8);
    at = number(SUGGEST, suggestWhichBrokerId, bytes, at);
    at = number(GROUP_SYS_FLAG, groupSysFlag, bytes, at);
    at = number(NEXT_BEGIN_OFFSET, nextBeginOffset, bytes, at);
    at = number(MAX_OFFSET, maxOffset, bytes, at);
    at = number(MIN_OFFSET, minOffset, bytes, at);
    at = number(TOPIC_SYS_FLAG, topicSysFlag, bytes, at);
    at = number(OPAQUE, opaque, bytes, at);
    at = copy(TAIL, bytes, copy(remark, bytes, copy(REMARK, bytes, at)));
    writeI32(bytes, start, at - start - 4 + bodyLength);
    writeI32(bytes, start + 4, at - start - 8);
    out.length = at;
  }

  #remark(status: string): Uint8Array {
    let bytes = this.#remarks.get(status);
    if (bytes !== undefined) return bytes;
    bytes = encodeUtf8(JSON.stringify(status).slice(1, -1));
    // Statuses are constants; anything else is not kept.
    if (this.#remarks.size < 32) this.#remarks.set(status, bytes);
    return bytes;
  }
}

function number(prefix: Uint8Array, value: number, into: Uint8Array, at: number): number {
  return writeDecimal(value, into, copy(prefix, into, at));
}

function copy(source: Uint8Array, into: Uint8Array, at: number): number {
  for (let i = 0; i < source.length; i++) into[at + i] = source[i];
  return at + source.length;
}
