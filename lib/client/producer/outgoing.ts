import { ClientError } from "../client_error.ts";
import type { Body } from "../codecs.ts";
import type { Duration } from "../duration.ts";
import type { MessageQueue } from "../network/route.ts";

/** What a message says besides its body. */
export interface MessageOptions {
  /** Its tag, what consumers filter by. */
  readonly tag?: string;
  /** What it can be found by later. */
  readonly keys?: string | readonly string[];
  /** Properties of the application's; names and values without the characters 0x01 and 0x02, and not empty. */
  readonly properties?: Readonly<Record<string, string>>;
  /** A number of the application's, 32 bits. @default 0 */
  readonly flag?: number;
  /** False: the broker answers before the message is on disk, whatever its settings are (`WAIT`). @default true */
  readonly waitStored?: boolean;
}

/** A message of a batch. */
export interface OutgoingMessage extends MessageOptions {
  /** Bytes, text, or an object that becomes JSON. */
  readonly body: Body;
}

/** Picks the queue of a message; `queues` are never empty. */
export type QueueSelector = (queues: readonly MessageQueue[]) => MessageQueue;

/** How a call that sends behaves. */
export interface CallLimits {
  /** Time with all tries. @default `ConnectOptions.sendTimeout` */
  readonly timeout?: Duration;
  /** Further tries after one that may have done nothing. @default `ConnectOptions.sendRetries`; 0 with `orderBy` */
  readonly retries?: number;
  /** Aborting it gives up waiting; what was sent is not taken back. */
  readonly signal?: AbortSignal;
}

/** Where a message goes. */
export interface QueueChoice {
  /** Messages with the same text go to the same queue, in the order in which their sends were answered. */
  readonly orderBy?: string;
  /** The queue itself, or a function that picks one. */
  readonly queue?: MessageQueue | QueueSelector;
}

/** All that can be said of a send. */
export interface SendOptions extends MessageOptions, CallLimits, QueueChoice {
  /** Delivered so long after now. Needs a broker of 5.0 or later, or one of its delay levels exactly. */
  readonly delay?: Duration;
  /** Delivered at this time: ms since 1970, or a Date. Needs a broker of 5.0 or later. */
  readonly at?: number | { getTime(): number };
  /** One of the broker's delay levels, 1 … (`messageDelayLevel`). */
  readonly delayLevel?: number;
  /** Higher ones are delivered first, where the broker keeps priorities (5.4); 0 is the lowest. */
  readonly priority?: number;
}

const RESERVED: ReadonlySet<string> = new Set(
  [
    "KEYS TAGS WAIT DELAY UNIQ_KEY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET",
    "TIMER_DELAY_SEC TIMER_DELAY_MS TIMER_DELIVER_MS CORRELATION_ID REPLY_TO_CLIENT TTL MSG_TYPE __transactionId__",
    "__SHARDINGKEY _SYS_MSG_PRIORITY_",
  ].join(" ").split(" "),
);

/** The text of one property. Throws ClientError `BAD_ARGUMENT` for what would break the text. */
export function property(name: string, value: string): string {
  if (name === "" || value === "" || hasSeparator(name) || hasSeparator(value)) {
    throw new ClientError("BAD_ARGUMENT", `property "${name}" is empty or has the characters 0x01 or 0x02`);
  }
  return `${name}\x01${value}\x02`;
}

function hasSeparator(text: string): boolean {
  return text.includes("\x01") || text.includes("\x02");
}

/** The text of a message's own properties, without its id. Throws ClientError `BAD_ARGUMENT`. */
export function ownProperties(message: MessageOptions): string {
  let text = "";
  const { tag, keys, properties } = message;
  if (tag !== undefined) text += property("TAGS", tag);
  if (keys !== undefined) text += property("KEYS", typeof keys === "string" ? keys : keys.join(" "));
  if (properties !== undefined) {
    for (const name in properties) {
      if (RESERVED.has(name)) {
        throw new ClientError("BAD_ARGUMENT", `property "${name}" is RocketMQ's own: there is an option for it`);
      }
      text += property(name, properties[name]);
    }
  }
  if (message.waitStored === false) text += "WAIT\x01false\x02";
  return text;
}

/** Throws ClientError `BAD_ARGUMENT` for a text that is no topic. (Validators.checkTopic) */
export function checkTopic(topic: string): void {
  if (topic.length > 127 || !/^[%|a-zA-Z0-9_-]+$/.test(topic)) {
    throw new ClientError("BAD_ARGUMENT", `"${topic.slice(0, 200)}" is no topic: letters, digits, % | - _, up to 127`);
  }
}
