/** One message of a trace. (TraceBean) */
export interface TracedMessage {
  /** Without the namespace. */
  readonly topic: string;
  /** Unique id. */
  readonly messageId: string;
  /** Empty: none. */
  readonly tag: string;
  /** Separated by blanks; empty: none. */
  readonly keys: string;
  /** `ip:port` of the broker. */
  readonly storeHost: string;
  /** Bytes of the body. */
  readonly bodyBytes: number;
  /** Empty: not known. */
  readonly offsetMessageId: string;
}

/** What is traced of a send. */
export interface PublishTrace {
  /** When it began, ms since 1970. */
  readonly atMs: number;
  /** Region that the broker is in. @default "DefaultRegion" */
  readonly region?: string;
  /** Producer group. */
  readonly group: string;
  /** The message. */
  readonly message: TracedMessage;
  /** How long it took, ms. */
  readonly costMs: number;
  /** Number of Java's MessageType. */
  readonly messageType: number;
  /** Whether it was stored. */
  readonly success: boolean;
}

/** MessageType's numbers, as Java counts them. */
export const TracedType = { NORMAL: 0, TRANSACTION_HALF: 1, TRANSACTION_COMMIT: 2, DELAY: 3 } as const;

/** Java's region when the broker names none. */
const REGION = "DefaultRegion";
const FIELD = "\x01";
const END = "\x02";

/**
 * A send as a trace topic has it (`TraceDataEncoder`, version of 4.9 to 5.5), fields ended by 0x01, the whole by 0x02:
 *
 * | Pub | time | region | group | topic | id | tags | keys | store host | bytes | cost | type | offset id | ok |
 */
export function publishText(trace: PublishTrace): string {
  const { atMs, group, message, costMs, messageType, success } = trace;
  const { topic, messageId, tag, keys, storeHost, bodyBytes, offsetMessageId } = message;
  const own = [topic, messageId, tag, keys, storeHost, bodyBytes];
  const fields = ["Pub", atMs, trace.region ?? REGION, group, ...own, costMs, messageType, offsetMessageId, success];
  return fields.join(FIELD) + END;
}

/** Where the broker's address is in an offset message id of IPv4: `ip:port`; empty for others. */
export function storeHostOf(offsetMessageId: string): string {
  if (!/^[0-9A-F]{32}$/.test(offsetMessageId)) return "";
  const bytes = [0, 2, 4, 6].map((at) => Number.parseInt(offsetMessageId.slice(at, at + 2), 16));
  return `${bytes.join(".")}:${Number.parseInt(offsetMessageId.slice(8, 16), 16)}`;
}
