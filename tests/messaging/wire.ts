/** Requests and answers as tests write and read them, for any broker and either clock. */
import { hostPlatform, type Logger, type Platform } from "@rmq/platform";
import { RequestCode, StoredMessage } from "@rmq/protocol";
import { createClient, type Handlers, type PeerRequest, type RemotingClient } from "@rmq/remoting";

const quiet: Logger = { info() {}, warn() {}, error() {} };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A client that complains to nobody: connections are cut on purpose here. */
export function quietClient(platform: Platform = hostPlatform(), handlers?: Handlers): RemotingClient {
  return createClient(platform, handlers === undefined ? {} : { handlers }, quiet);
}

/** A message to be sent. */
export interface Outgoing {
  readonly group: string;
  readonly topic: string;
  readonly queueId: number;
  readonly body: string;
  readonly properties?: Readonly<Record<string, string>>;
  /** ms since 1970; some time in 1970 when absent. */
  readonly bornMs?: number;
  readonly sysFlag?: number;
  /** Queues of the topic, if this send makes it. */
  readonly queues?: number;
}

/** A send by an official client: 310. */
export function sendRequest(message: Outgoing): PeerRequest {
  const { group: a, topic: b, queueId: e, sysFlag: f = 0, bornMs: g = 1, queues: d = 4 } = message;
  const pairs = Object.entries(message.properties ?? {});
  const properties = pairs.map(([name, value]) => `${name}\x01${value}\x02`).join("");
  return {
    code: RequestCode.SEND_MESSAGE_V2,
    fields: { a, b, c: "TBW102", d, e, f, g, h: 0, i: properties, j: 0, k: false, m: false },
    body: encoder.encode(message.body),
  };
}

/** A pull of up to 32 messages with any tag; with `suspendMs` it waits for the first one. */
export function pullRequest(
  group: string,
  topic: string,
  queueId: number,
  queueOffset: number,
  suspendMs = 0,
): PeerRequest {
  const subscription = 4;
  const suspend = suspendMs > 0 ? 2 : 0;
  return {
    code: RequestCode.PULL_MESSAGE,
    fields: {
      consumerGroup: group,
      topic,
      queueId,
      queueOffset,
      maxMsgNums: 32,
      sysFlag: subscription | suspend,
      commitOffset: 0,
      suspendTimeoutMillis: suspendMs,
      subscription: "*",
      subVersion: 0,
      expressionType: "TAG",
    },
  };
}

/** A message as a consumer sees it. */
export interface Pulled {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly reconsumeTimes: number;
  /** ms since 1970 */
  readonly storeTimestamp: number;
  readonly body: string;
}

/** What the body of an answer to a pull holds. Throws when that is anything but whole messages. */
export function messagesIn(bytes: Uint8Array): Pulled[] {
  const message = new StoredMessage();
  const found: Pulled[] = [];
  for (let at = 0; at < bytes.length; at += message.size) {
    const size = message.parse(bytes, at, bytes.length, true);
    if (size <= 0) throw new Error(`entry ${found.length} of an answer does not parse (${size})`);
    const { queueId, queueOffset, physicalOffset, reconsumeTimes, storeTimestamp } = message;
    const body = decoder.decode(bytes.subarray(message.bodyStart, message.bodyEnd));
    const topic = message.topicText();
    found.push({ topic, queueId, queueOffset, physicalOffset, reconsumeTimes, storeTimestamp, body });
  }
  return found;
}
