import { Buffer } from "node:buffer";
import { KnownProperty, type Properties, RETRY_PREFIX } from "@rmq/protocol";

const VERSION = "v1";
const TEXT = /^[A-Za-z0-9_-]*={0,2}$/;

/** What a handle says; Apache: `RecallMessageHandle.HandleV1`. */
export interface RecallHandle {
  readonly topic: string;
  readonly brokerName: string;
  /** When the message is due, ms, one more than TIMER_OUT_MS; as text, it may be anything. */
  readonly timestamp: string;
  /** The message's unique key. */
  readonly messageId: string;
}

/** The handle by which a message can be recalled (remoting sheet §11.5). */
export function encodeRecallHandle(handle: RecallHandle): string {
  const { topic, brokerName, timestamp, messageId } = handle;
  const text = [VERSION, topic, brokerName, timestamp, messageId].join(" ");
  return Buffer.from(text, "utf8").toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** What a handle says; null: it is none. */
export function decodeRecallHandle(text: string): RecallHandle | null {
  if (!TEXT.test(text) || text.replaceAll("=", "").length % 4 === 1) return null;
  const [version, topic, brokerName, timestamp, messageId] = Buffer.from(text, "base64url").toString("utf8").split(" ");
  if (version !== VERSION || messageId === undefined || messageId === "") return null;
  return { topic, brokerName, timestamp, messageId };
}

/** The handle of a message that waits for its time; null for one that can't be recalled. */
export function recallHandleOf(properties: Properties, brokerName: string): string | null {
  const topic = properties.text(KnownProperty.REAL_TOPIC);
  const outMs = Number(properties.text(KnownProperty.TIMER_OUT_MS) ?? NaN);
  if (topic === null || topic.startsWith(RETRY_PREFIX) || !Number.isSafeInteger(outMs)) return null;
  const messageId = properties.text(KnownProperty.UNIQ_KEY) ?? "";
  // One more: rounded down again it is the message's own tick.
  return encodeRecallHandle({ topic, brokerName, timestamp: String(outMs + 1), messageId });
}
