import type { Timer } from "@rmq/platform";
import { type JsonObject, parseJson, RequestCode, RETRY_PREFIX } from "@rmq/protocol";
import { ClientError, expectSuccess } from "../client_error.ts";
import { BackOff } from "../network/back_off.ts";
import type { Network, SubscriptionData } from "../network/network.ts";
import type { MessageQueue, TopicRoute } from "../network/route.ts";
import { keyOf } from "./local_offsets.ts";
import type { ConsumerSpec } from "./spec.ts";

/** How often queues are shared out anew, ms. (rocketmq.client.rebalance.waitInterval) */
const PERIOD_MS = 20_000;
/** And after a time that did not come out even. (rocketmq.client.rebalance.minInterval) */
const FIRST_PAUSE_MS = 1000;

/** What sharing out needs of its consumer. */
export interface RebalanceParts {
  readonly network: Network;
  readonly spec: ConsumerSpec;
  /**
   * Takes up and gives up queues of a topic so that they are these; false when it is to be tried again soon.
   */
  readonly assign: (subscription: SubscriptionData, queues: readonly MessageQueue[]) => Promise<boolean>;
}

/** Shares the queues of each topic out among the members of the group. (RebalanceImpl, RebalanceService) */
export class Rebalance {
  readonly #parts: RebalanceParts;
  readonly #pauses: BackOff;
  #timer: Timer | null = null;
  #wanted = false;
  #running: Promise<void> | null = null;
  #closed = false;
  /** Topics whose failure was told. */
  readonly #failing = new Set<string>();

  constructor(parts: RebalanceParts) {
    this.#parts = parts;
    this.#pauses = new BackOff(parts.network.platform.random, FIRST_PAUSE_MS, PERIOD_MS);
  }

  /** Does it now, and once more when it is under way. Resolves when it is done; never rejects. */
  run(): Promise<void> {
    this.#wanted = true;
    return this.#running ??= this.#loop().finally(() => this.#running = null);
  }

  /** No more. Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #loop(): Promise<void> {
    let balanced = true;
    while (this.#wanted && !this.#closed) {
      this.#wanted = false;
      this.#timer?.cancel();
      balanced = await this.#all();
    }
    if (this.#closed) return;
    if (balanced) this.#pauses.reset();
    const pauseMs = balanced ? PERIOD_MS : this.#pauses.nextMs();
    this.#timer = this.#parts.network.platform.clock.setTimer(pauseMs, () => void this.run());
  }

  async #all(): Promise<boolean> {
    const { spec, network } = this.#parts;
    let balanced = true;
    for (const subscription of spec.subscriptions.values()) {
      const { topic } = subscription;
      if (this.#closed) break;
      try {
        const queues = await this.#own(topic);
        if (this.#closed) break;
        if (!await this.#parts.assign(subscription, queues)) balanced = false;
        this.#failing.delete(topic);
      } catch (error) {
        balanced = false;
        // Its brokers make the retry topic when they hear of the group, and tell the name servers later.
        if (topic.startsWith(RETRY_PREFIX) || this.#closed || this.#failing.has(topic)) continue;
        this.#failing.add(topic);
        network.logger.warn("queues could not be shared out", { group: spec.group, topic, error: String(error) });
      }
    }
    return balanced;
  }

  async #own(topic: string): Promise<readonly MessageQueue[]> {
    const { network, spec } = this.#parts;
    const route = await network.routes.route(topic);
    // Without a queue there is nothing to share out, and nothing to give up either.
    if (route.readQueues.length === 0) throw new ClientError("NO_QUEUE", `${topic} has no queue to read now`);
    if (spec.broadcast) return route.readQueues;
    const members = await this.#members(route);
    const { group, strategy } = spec;
    const { clientId } = network;
    const allocated = strategy.allocate({ group, clientId, queues: route.readQueues, members });
    // A strategy of the user's may say what it likes; only queues that are there can be read.
    const there = new Set(route.readQueues.map(keyOf));
    return allocated.filter((queue) => there.has(keyOf(queue)));
  }

  /** Ids of the group's members in order (38), by a broker that knows us. (findConsumerIdList) */
  async #members(route: TopicRoute): Promise<string[]> {
    const { network } = this.#parts;
    const masters = [...route.brokers.values()].flatMap(({ addresses }) => addresses.get(0) ?? []);
    const others = [...route.brokers.values()].flatMap(({ addresses }) => [...addresses.values()]);
    const addresses = masters.length > 0 ? masters : others;
    if (addresses.length === 0) throw new ClientError("NO_QUEUE", `${route.topic} has no broker now`);
    const address = addresses[network.platform.random.below(addresses.length)];
    const members = await this.#membersAt(address).catch((): string[] => []);
    if (members.includes(network.clientId)) return members;
    await network.heartbeat.sendNow(address);
    return await this.#membersAt(address);
  }

  async #membersAt(address: string): Promise<string[]> {
    const { network, spec } = this.#parts;
    const request = { code: RequestCode.GET_CONSUMER_LIST_BY_GROUP, fields: { consumerGroup: spec.group } };
    const response = expectSuccess(`the members of ${spec.group}`, await network.invoke(address, request));
    const { consumerIdList } = parseJson(response.body ?? new Uint8Array()) as JsonObject;
    return Array.isArray(consumerIdList) ? consumerIdList.map(String).sort() : [];
  }
}
