import { decodeBatch, FormatError, type Header, Properties, ResponseCode } from "@rmq/protocol";
import type { Refusal } from "./rewriters.ts";
import { illegal, unwantedInBatch } from "./unwanted_properties.ts";

/** Inner messages of one 320 request; more would hold the loop for too long. */
const MAX_BATCH_MESSAGES = 20_000;
const MAX_PROPERTIES_BYTES = 32_767;
/** Largest stored entry without body, topic and properties: both hosts IPv6, a topic length of two bytes. */
const FIXED_BYTES = 91 + 24 + 1;

/** Looks at all inner messages before the first is appended: a batch is stored whole or not at all. */
export class BatchCheck {
  /** Bytes that the last batch takes in the log, at most. */
  bytes = 0;
  readonly #inner = new Properties();

  /** `maxMessageSize`: largest body of a request, bytes. */
  constructor(private readonly maxMessageSize: number) {}

  /** Why the batch in the body of `header` is refused; null: it can be stored. `topicBytes`: length of its topic's name. */
  check(header: Header, topicBytes: number): Refusal | null {
    const { bytes, bodyStart, bodyEnd } = header;
    if (bodyEnd - bodyStart > this.maxMessageSize) {
      return illegal(`the batch is longer than maxMessageSize, ${this.maxMessageSize} bytes`);
    }
    this.bytes = 0;
    let seen = 0;
    let problem: string | null = null;
    try {
      decodeBatch(bytes, bodyStart, bodyEnd, (_flag, from, to, propertiesFrom, propertiesTo) => {
        if (problem !== null || seen++ >= MAX_BATCH_MESSAGES) return;
        this.bytes += FIXED_BYTES + topicBytes + (to - from) + (propertiesTo - propertiesFrom);
        if (propertiesTo - propertiesFrom > MAX_PROPERTIES_BYTES) {
          problem = `the properties of an inner message are longer than ${MAX_PROPERTIES_BYTES} bytes`;
          return;
        }
        this.#inner.readVerbatim(bytes, propertiesFrom, propertiesTo);
        problem = unwantedInBatch(this.#inner);
      });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return unreadable(`the batch body can't be read: ${error.message}`);
    }
    if (seen === 0) return unreadable("the batch holds no message");
    if (seen > MAX_BATCH_MESSAGES) return illegal(`the batch holds more than ${MAX_BATCH_MESSAGES} messages`);
    return problem === null ? null : illegal(problem);
  }
}

/** Apache's code for a body that is no batch. */
function unreadable(remark: string): Refusal {
  return { code: ResponseCode.SYSTEM_ERROR, remark };
}
