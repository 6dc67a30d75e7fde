import { PullSysFlag, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Response } from "@rmq/remoting";
import { ClientError, refused } from "../client_error.ts";
import { type MakeMessage, readMessagesAs } from "../message.ts";
import type { Network, SubscriptionData } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";

/** What is asked of a queue. */
export interface PullQuery {
  /** With the namespace. */
  readonly group: string;
  /** Where. */
  readonly queue: MessageQueue;
  /** From where. */
  readonly offset: number;
  /** What of it. */
  readonly subscription: SubscriptionData;
  /** Whether the broker filters by `subscription` as it is told here, not as the group's heartbeats say. */
  readonly tellsFilter: boolean;
  /** At most so many messages; brokers give no more than 32. */
  readonly most: number;
  /** How long the broker may wait for a message, ms. */
  readonly suspendMs: number;
  /** Offset to be committed on the way, or null. */
  readonly commit: number | null;
  /** The broker of the group that was said to answer best. */
  readonly preferredBroker: number;
  /** Gives up waiting for the answer. */
  readonly signal: AbortSignal;
}

/** What a broker found. */
export interface Pulled<M> {
  /** `ILLEGAL`: the offset is not in the queue, or was reset; `next` is where to go on. (PullStatus) */
  readonly status: "FOUND" | "NOTHING" | "ILLEGAL";
  /** By offset; those that the filter wants. */
  readonly messages: readonly M[];
  /** Where the next pull begins. */
  readonly next: number;
  /** First offset that is there. */
  readonly min: number;
  /** Offset that the next message of the queue gets. */
  readonly max: number;
  /** The broker of the group that is to be asked next. */
  readonly preferredBroker: number;
}

/** Time for the answer besides what the broker waits, ms. (consumerTimeoutMillisWhenSuspend − brokerSuspendMaxTimeMillis) */
const ANSWER_MS = 15_000;

/** One pull (11). Rejects with ClientError. (PullAPIWrapper.pullKernelImpl, processPullResult) */
export async function pull<M extends { tag: string | null }>(
  network: Network,
  query: PullQuery,
  make: MakeMessage<M>,
): Promise<Pulled<M>> {
  const { queue, subscription, signal, suspendMs } = query;
  const address = network.readAddress(queue.brokerName, query.preferredBroker);
  if (address === null) throw new ClientError("BROKER_UNREACHABLE", `broker ${queue.brokerName} has no address`);
  const fields = fieldsOf(query, network.brokerAddress(queue.brokerName) === address);
  const call = { timeoutMs: suspendMs + ANSWER_MS, signal };
  const response = await network.invoke(address, { code: RequestCode.PULL_MESSAGE, fields }, call);
  const status = statusOf(response);
  if (status === null) throw refused(`a pull of ${queue.topic}`, response.code, response.remark);
  const from = { brokerName: queue.brokerName, namespace: network.options.namespace };
  const found = status === "FOUND" && response.body !== null ? readMessagesAs(response.body, from, make) : [];
  return {
    status,
    messages: wanted(found, subscription),
    next: offsetIn(response, "nextBeginOffset"),
    min: offsetIn(response, "minOffset"),
    max: offsetIn(response, "maxOffset"),
    preferredBroker: Number(response.fields.get("suggestWhichBrokerId") ?? 0),
  };
}

function fieldsOf(query: PullQuery, ofMaster: boolean): Record<string, string | number> {
  const { group, queue, offset, subscription, tellsFilter, most, suspendMs, commit } = query;
  // Slaves keep no offsets of their own.
  const commits = commit !== null && ofMaster;
  const sysFlag = (commits ? PullSysFlag.COMMIT_OFFSET : 0) | (suspendMs > 0 ? PullSysFlag.SUSPEND : 0) |
    (tellsFilter ? PullSysFlag.SUBSCRIPTION : 0);
  return {
    consumerGroup: group,
    topic: queue.topic,
    queueId: queue.queueId,
    queueOffset: offset,
    maxMsgNums: most,
    sysFlag,
    commitOffset: commits ? commit : 0,
    suspendTimeoutMillis: suspendMs,
    ...(tellsFilter ? { subscription: subscription.subString } : {}),
    subVersion: subscription.subVersion,
    expressionType: subscription.expressionType,
    bname: queue.brokerName,
  };
}

function statusOf({ code }: Response): Pulled<never>["status"] | null {
  switch (code) {
    case ResponseCode.SUCCESS:
      return "FOUND";
    case ResponseCode.PULL_NOT_FOUND:
    case ResponseCode.PULL_RETRY_IMMEDIATELY:
      return "NOTHING";
    case ResponseCode.PULL_OFFSET_MOVED:
      return "ILLEGAL";
    default:
      return null;
  }
}

/** Brokers filter by hashes of tags: the text decides here. */
function wanted<M extends { tag: string | null }>(found: M[], { tagsSet }: SubscriptionData): M[] {
  if (tagsSet.length === 0) return found;
  return found.filter(({ tag }) => tag !== null && tagsSet.includes(tag));
}

function offsetIn({ fields }: Response, name: string): number {
  const offset = Number(fields.get(name) ?? NaN);
  if (Number.isSafeInteger(offset)) return offset;
  throw new ClientError("BAD_ANSWER", `the answer to a pull has no ${name}`);
}
