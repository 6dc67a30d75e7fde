import { ResponseCode, RETRY_PREFIX } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import type { MakeMessage } from "../message.ts";
import { withoutNamespace } from "../namespace.ts";
import { BackOff } from "../network/back_off.ts";
import type { Network } from "../network/network.ts";
import { sleep } from "../waiting.ts";
import type { Flow } from "./flow.ts";
import type { ProcessQueue } from "./process_queue.ts";
import { pull } from "./pull_request.ts";
import { type Owner, ReceivedMessage } from "./received_message.ts";

/** How long brokers wait for a message, ms. (BROKER_SUSPEND_MAX_TIME_MILLIS) */
const SUSPEND_MS = 15_000;
const FIRST_PAUSE_MS = 50;
/** (pullTimeDelayMillsWhenException) */
const LONGEST_PAUSE_MS = 3000;
/** An answer without a message that came sooner was not waited for by the broker. */
const SOON_MS = 10;
/** Codes that say that the broker does not know the group or its subscription (any more). */
const UNKNOWN_GROUP: ReadonlySet<number> = new Set([
  ResponseCode.SUBSCRIPTION_NOT_EXIST,
  ResponseCode.SUBSCRIPTION_NOT_LATEST,
  ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST,
  ResponseCode.FILTER_DATA_NOT_EXIST,
  ResponseCode.FILTER_DATA_NOT_LATEST,
]);

/** What pull loops need of their consumer. */
export interface PullParts {
  readonly network: Network;
  /** With the namespace. */
  readonly group: string;
  readonly flow: Flow;
  readonly pullBatch: number;
  /** Gets what was found. */
  readonly found: (queue: ProcessQueue, messages: readonly ReceivedMessage[]) => void;
  /** The offset is not in the queue, or was reset: the queue is to be begun again at `next`. */
  readonly illegal: (queue: ProcessQueue, next: number) => void;
  /** The queue's broker was lost, and may have lost what it was told. */
  readonly lost: (queue: ProcessQueue) => void;
}

/** Reads one queue until it is dropped: one long pull after the other. Never rejects. (PullMessageService) */
export async function pullLoop(parts: PullParts, queue: ProcessQueue, owner: Owner): Promise<void> {
  const { network, flow } = parts;
  const { clock, random } = network.platform;
  const { signal } = queue.gone;
  const pauses = new BackOff(random, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  const make = makerOf(network, queue, owner);
  let failing = false;
  while (!signal.aborted) {
    try {
      await flow.room(queue);
      if (signal.aborted) return;
      const { nextOffset } = queue;
      const startedUs = clock.monotonicUs();
      queue.lastPullMs = clock.nowMs();
      const pulled = await pull(network, {
        group: parts.group,
        queue: queue.queue,
        offset: nextOffset,
        subscription: queue.subscription,
        tellsFilter: false,
        most: flow.most(queue, parts.pullBatch),
        suspendMs: SUSPEND_MS,
        commit: null,
        preferredBroker: queue.preferredBroker,
        signal,
      }, make);
      if (signal.aborted) return;
      failing = false;
      queue.preferredBroker = pulled.preferredBroker;
      if (pulled.status === "ILLEGAL") return parts.illegal(queue, pulled.next);
      queue.add(pulled.messages, pulled.next);
      flow.add(pulled.messages);
      if (pulled.messages.length > 0) parts.found(queue, pulled.messages);
      const idle = pulled.next === nextOffset && clock.monotonicUs() - startedUs < SOON_MS * 1000;
      if (idle) await sleep(clock, pauses.nextMs(), signal);
      else pauses.reset();
    } catch (error) {
      if (signal.aborted) return;
      if (!failing) complain(parts, queue, error);
      failing = true;
      if (isLost(error)) parts.lost(queue);
      await sleep(clock, pauses.nextMs(), signal).catch(() => {});
      if (!signal.aborted) await recover(network, queue, error);
    }
  }
}

/** Messages of the retry topic carry the topic that they are of. (resetRetryAndNamespace) */
function makerOf(network: Network, { queue }: ProcessQueue, owner: Owner): MakeMessage<ReceivedMessage> {
  if (!queue.topic.startsWith(RETRY_PREFIX)) {
    return (topic, body, properties, source) => new ReceivedMessage(topic, body, properties, source, owner);
  }
  return (topic, body, properties, source) => {
    const message = new ReceivedMessage(topic, body, properties, source, owner);
    const origin = message.properties.get("RETRY_TOPIC");
    if (origin === undefined) return message;
    const own = withoutNamespace(network.options.namespace, origin);
    return new ReceivedMessage(own, body, message.properties, source, owner);
  };
}

/** A broker that was gone has forgotten us, and may be another one now. */
async function recover(network: Network, { queue, preferredBroker }: ProcessQueue, error: unknown): Promise<void> {
  if (!(error instanceof ClientError) || error.code === "CLOSED") return;
  const unknown = error.responseCode !== undefined && UNKNOWN_GROUP.has(error.responseCode);
  const lost = isLost(error);
  if (lost) await network.routes.refresh(queue.topic).catch(() => null);
  const address = network.readAddress(queue.brokerName, preferredBroker);
  if ((lost || unknown) && address !== null) await network.heartbeat.sendNow(address);
}

function isLost(error: unknown): boolean {
  return error instanceof ClientError && (error.code === "BROKER_UNREACHABLE" || error.code === "TIMEOUT");
}

function complain({ network, group }: PullParts, { queue }: ProcessQueue, error: unknown): void {
  const { topic, brokerName, queueId } = queue;
  network.logger.warn("a queue cannot be read", { group, topic, brokerName, queueId, error: String(error) });
}
