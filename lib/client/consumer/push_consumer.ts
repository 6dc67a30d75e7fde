import type { Timer } from "@rmq/platform";
import { RequestCode, toJson } from "@rmq/protocol";
import { ClientError, expectSuccess } from "../client_error.ts";
import type { ConsumerData, Network, SubscriptionData } from "../network/network.ts";
import { throwIfAborted, unlessAborted } from "../waiting.ts";
import { Committer } from "./committer.ts";
import { startName } from "./consume_from.ts";
import type { Dispatch } from "./dispatch.ts";
import { Flow } from "./flow.ts";
import { LocalOffsets } from "./local_offsets.ts";
import { BrokerOffsets, type CommittedOffset } from "./offset_store.ts";
import type { ProcessQueue } from "./process_queue.ts";
import { pullLoop, type PullParts } from "./pull_loop.ts";
import { QueueLocks } from "./queue_locks.ts";
import { QueueTable } from "./queue_table.ts";
import { Rebalance } from "./rebalance.ts";
import type { Outcome, ReceivedMessage } from "./received_message.ts";
import { Settling } from "./settling.ts";
import type { ConsumerSpec } from "./spec.ts";
import { within } from "./within.ts";

/** How often locks are renewed, ms. (REBALANCE_LOCK_INTERVAL) */
const LOCK_PERIOD_MS = 20_000;

const encoder = new TextEncoder();

/** Reads the queues of one group that fall to this member, and hands their messages on. (DefaultMQPushConsumerImpl) */
export class PushConsumer {
  readonly spec: ConsumerSpec;
  readonly dispatch: Dispatch;
  /** ms since 1970. */
  readonly startedMs: number;
  readonly table: QueueTable;
  readonly flow: Flow;
  readonly #network: Network;
  readonly #committer: Committer;
  readonly #rebalance: Rebalance;
  readonly #pulls: PullParts;
  readonly #endings: (() => void)[] = [];
  #closing: Promise<void> | null = null;

  constructor(network: Network, spec: ConsumerSpec, makeDispatch: (settling: Settling) => Dispatch) {
    this.#network = network;
    this.spec = spec;
    this.startedMs = network.platform.clock.nowMs();
    this.flow = new Flow(spec.limits);
    const store = spec.offsets ??
      (spec.broadcast ? new LocalOffsets(network.platform, network.clientId) : new BrokerOffsets(network));
    this.#committer = new Committer(spec.group, store, network.logger);
    this.dispatch = makeDispatch(new Settling(network, spec, this.flow));
    const locks = spec.ordered && !spec.broadcast ? new QueueLocks(network, spec.group) : null;
    this.table = new QueueTable({
      network,
      spec,
      committer: this.#committer,
      flow: this.flow,
      locks,
      added: (queue) => this.#read(queue),
    });
    this.#rebalance = new Rebalance({
      network,
      spec,
      assign: (subscription, queues) => this.table.assign(subscription, queues),
    });
    this.#pulls = {
      network,
      group: spec.group,
      flow: this.flow,
      pullBatch: spec.pullBatch,
      found: (queue, messages) => this.dispatch.found(queue, messages),
      lost: ({ queue }) => this.#committer.doubt(queue),
      illegal: (queue, next) => void this.table.restart(queue, next).then(() => this.rebalance()),
    };
  }

  /** Joins the group and takes up its share. Rejects with ClientError, `BAD_SUBSCRIPTION` for a filter for one. */
  async start(signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const { routes, heartbeat, platform: { clock } } = this.#network;
    for (const subscription of this.spec.subscriptions.values()) {
      await unlessAborted(this.#prepare(subscription), signal);
    }
    heartbeat.setConsumer(this.#heartbeatData());
    await unlessAborted(heartbeat.sendNow(), signal);
    for (const topic of this.spec.subscriptions.keys()) {
      this.#endings.push(routes.watch(topic, () => void this.rebalance()));
    }
    await unlessAborted(this.rebalance(), signal);
    const every = (periodMs: number, run: () => void): void => {
      const timer: Timer = clock.every(periodMs, run);
      this.#endings.push(() => timer.cancel());
    };
    every(this.spec.commitMs, () => void this.commit());
    if (this.spec.ordered) every(LOCK_PERIOD_MS, () => void this.#renewLocks());
  }

  /** Shares the queues out anew, now. Never rejects. */
  rebalance(): Promise<void> {
    return this.#closing === null ? this.#rebalance.run() : Promise.resolve();
  }

  /** Commits how far the group is. Never rejects. */
  commit(): Promise<void> {
    this.table.note();
    return this.#committer.save();
  }

  /** How far it is in the queues that it reads, of one topic or of all. */
  offsets(topic?: string): CommittedOffset[] {
    this.table.note();
    return this.#committer.all(topic);
  }

  /** Begins queues at other offsets; by `keyOf` of the queue. */
  async reset(offsets: ReadonlyMap<string, number>): Promise<void> {
    await this.table.reset(offsets);
    await this.rebalance();
  }

  /** Hands out no more, waits for what is out for at most `drainMs`, commits, and leaves the group. Never rejects. */
  close(drainMs: number): Promise<void> {
    return this.#closing ??= this.#close(drainMs);
  }

  async #close(drainMs: number): Promise<void> {
    for (const end of this.#endings.splice(0)) end();
    this.table.stop();
    await within(this.#network.platform.clock, drainMs, this.dispatch.drain());
    this.dispatch.stop();
    await this.#rebalance.close();
    await this.table.close();
    await this.#network.heartbeat.removeConsumer(this.spec.group);
  }

  #read(queue: ProcessQueue): void {
    const settle = (message: ReceivedMessage, outcome: Outcome) => this.dispatch.settle(queue, message, outcome);
    void pullLoop(this.#pulls, queue, { settle });
  }

  async #renewLocks(): Promise<void> {
    const before = this.table.queues.length;
    await this.table.renewLocks();
    if (this.table.queues.length < before) await this.rebalance();
  }

  /** A topic that is not there yet may come; a filter that is wrong stays so. */
  async #prepare(subscription: SubscriptionData): Promise<void> {
    const { routes, logger } = this.#network;
    const { topic } = subscription;
    try {
      const route = await routes.route(topic);
      const [broker] = route.brokers.values();
      const address = broker?.addresses.get(0);
      if (subscription.expressionType === "SQL92" && address !== undefined) await this.#check(address, subscription);
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== "TOPIC_NOT_FOUND") throw error;
      if (!topic.startsWith("%RETRY%")) logger.warn("a topic is not there yet", { topic, group: this.spec.group });
    }
  }

  /** 46 (MQClientInstance.checkClientInBroker) */
  async #check(address: string, subscription: SubscriptionData): Promise<void> {
    const body = encoder.encode(toJson({
      clientId: this.#network.clientId,
      group: this.spec.group,
      subscriptionData: { ...subscription, classFilterMode: false },
    }));
    const request = { code: RequestCode.CHECK_CLIENT_CONFIG, body };
    expectSuccess(`the filter of ${subscription.topic}`, await this.#network.invoke(address, request));
  }

  #heartbeatData(): ConsumerData {
    const { group, broadcast, from, subscriptions } = this.spec;
    return {
      groupName: group,
      consumeType: "CONSUME_PASSIVELY",
      messageModel: broadcast ? "BROADCASTING" : "CLUSTERING",
      consumeFromWhere: startName(from),
      subscriptionDataSet: [...subscriptions.values()],
      unitMode: false,
    };
  }
}
