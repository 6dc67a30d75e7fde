import { ClientError } from "../client_error.ts";
import { type Duration, milliseconds } from "../duration.ts";
import { type Filter, subscriptionData } from "../filter.ts";
import { withNamespace } from "../namespace.ts";
import type { Network, SubscriptionData } from "../network/network.ts";
import { checkStart, type StartFrom } from "./consume_from.ts";
import type { FlowLimits } from "./flow.ts";
import type { Watch } from "./handler.ts";
import type { OffsetStore } from "./offset_store.ts";
import { checkName } from "./received_message.ts";
import { averagely } from "./strategies/averagely.ts";
import type { AllocationStrategy } from "./strategies/strategy.ts";

/** What is consumed: one topic, or several with the filter of each. */
export type Topics = string | Readonly<Record<string, Filter>>;

/** How a group consumes. */
export interface ConsumeOptions {
  /** Name of the consumer group; each message goes to one of its members. */
  readonly group: string;
  /** Which messages of the topic. @default all */
  readonly filter?: Filter;
  /** Where a group without offsets begins, as Java's consumers do. @default "last" */
  readonly from?: StartFrom;
  /** Messages that are worked on at a time. @default 64; without limit for `consume` */
  readonly concurrency?: number;
  /** Deliveries of a message before it goes to the dead letters. @default as the group's configuration says, 17 */
  readonly maxAttempts?: number;
  /** True: each member gets every message; failed ones do not come again. (BROADCASTING) @default false */
  readonly broadcast?: boolean;
  /** Which queues each member reads; the same for all members of the group. @default `averagely` */
  readonly strategy?: AllocationStrategy;
  /** Keeps offsets in place of the brokers, and of the local file when broadcasting. */
  readonly offsets?: OffsetStore;
  /** A message that is not settled within this time is sent back, and others are gone on with. @default "15m" */
  readonly consumeTimeout?: Duration;
  /** How often offsets are committed. @default "5s" */
  readonly commitInterval?: Duration;
  /** Messages that are read ahead in each queue. @default 1000 */
  readonly queueMessages?: number;
  /** Bytes that are read ahead in each queue. @default 100 MiB */
  readonly queueBytes?: number;
  /** Offsets from the first unsettled message of a queue to the last that is read. @default 2000 */
  readonly queueSpan?: number;
  /** Bytes that are read ahead in all queues. @default 256 MiB */
  readonly maxBytes?: number;
  /** Messages of one pull; brokers give no more than 32. @default 32 */
  readonly pullBatch?: number;
  /** Aborting it ends the consuming. */
  readonly signal?: AbortSignal;
}

/** How handlers are called. */
export interface WorkOptions extends ConsumeOptions {
  /** True: one message of a queue at a time, in their order; one that fails is tried again before the next. @default false */
  readonly ordered?: boolean;
  /** How long a queue waits after a failure when `ordered`, 10 ms to 30 s. @default "1s" */
  readonly suspend?: Duration;
}

/** The options with their defaults; names with the namespace, times in ms. */
export interface ConsumerSpec {
  readonly group: string;
  /** The same as the caller says it. */
  readonly groupName: string;
  /** By topic. */
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
  readonly ordered: boolean;
  readonly broadcast: boolean;
  readonly from: StartFrom;
  readonly concurrency: number;
  /** Null: as the group's configuration says. */
  readonly maxReconsumeTimes: number | null;
  readonly strategy: AllocationStrategy;
  readonly offsets: OffsetStore | null;
  readonly consumeTimeoutMs: number;
  readonly commitMs: number;
  readonly suspendMs: number;
  readonly pullBatch: number;
  readonly limits: FlowLimits;
  /** Writes traces, when they are wanted. */
  readonly trace: Watch | null;
}

const RETRY_PREFIX = "%RETRY%";
const MIB = 1024 * 1024;

/** Fills in defaults. Throws ClientError `BAD_ARGUMENT`. */
export function resolveSpec(
  { network, trace }: { readonly network: Network; readonly trace: Watch | null },
  topics: Topics,
  options: WorkOptions,
  concurrency: number,
): ConsumerSpec {
  const { ordered = false, broadcast = false, maxAttempts } = options;
  const { namespace } = network.options;
  const group = withNamespace(namespace, checkName("group", options.group));
  return {
    group,
    groupName: options.group,
    subscriptions: subscriptionsOf(network, topics, options.filter, broadcast ? null : group),
    ordered,
    broadcast,
    from: checkStart(options.from ?? "last"),
    concurrency: options.concurrency === undefined ? concurrency : count("concurrency", options.concurrency, 1),
    maxReconsumeTimes: maxAttempts === undefined ? null : count("maxAttempts", maxAttempts, 1) - 1,
    strategy: options.strategy ?? averagely,
    offsets: options.offsets ?? null,
    consumeTimeoutMs: milliseconds(options.consumeTimeout ?? "15m", "consumeTimeout"),
    commitMs: Math.max(10, milliseconds(options.commitInterval ?? "5s", "commitInterval")),
    suspendMs: Math.min(30_000, Math.max(10, milliseconds(options.suspend ?? "1s", "suspend"))),
    pullBatch: count("pullBatch", options.pullBatch ?? 32, 1),
    limits: {
      queueMessages: count("queueMessages", options.queueMessages ?? 1000, 1),
      queueBytes: count("queueBytes", options.queueBytes ?? 100 * MIB, 1),
      queueSpan: ordered ? Infinity : count("queueSpan", options.queueSpan ?? 2000, 1),
      allBytes: count("maxBytes", options.maxBytes ?? 256 * MIB, 1),
    },
    trace,
  };
}

/** Subscriptions by topic on the wire, with that to the group's retries. */
function subscriptionsOf(
  network: Network,
  topics: Topics,
  filter: Filter | undefined,
  retriesOf: string | null,
): Map<string, SubscriptionData> {
  const { platform: { clock }, options: { namespace } } = network;
  const version = clock.nowMs();
  const named = typeof topics === "string" ? [[topics, filter] as const] : Object.entries(topics);
  if (named.length === 0) throw new ClientError("BAD_ARGUMENT", "no topic");
  const subscriptions = new Map<string, SubscriptionData>();
  for (const [name, wanted] of named) {
    const topic = withNamespace(namespace, checkName("topic", name));
    subscriptions.set(topic, subscriptionData(topic, wanted ?? filter, version));
  }
  if (retriesOf !== null) {
    const topic = RETRY_PREFIX + retriesOf;
    subscriptions.set(topic, subscriptionData(topic, undefined, version));
  }
  return subscriptions;
}

function count(name: string, value: number, least: number): number {
  if (value >= least && (Number.isSafeInteger(value) || value === Infinity)) return value;
  throw new ClientError("BAD_ARGUMENT", `${name} is ${value}, and must be ${least} or more`);
}
