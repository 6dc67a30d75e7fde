import type { RemotingNetwork } from "../network/remoting_network.ts";
import { type BrokerGroup, Cluster } from "./cluster.ts";
import { GroupAdmin } from "./groups.ts";
import { OffsetAdmin } from "./offsets.ts";
import { TopicAdmin } from "./topics.ts";

/**
 * Topics, groups and offsets of the cluster.
 *
 * ```ts
 * import type { RocketMQ } from "@rmq/client";
 *
 * async function prepare(mq: RocketMQ) {
 *   await mq.admin.topics.create("orders", { queues: 16 });
 *   await mq.admin.groups.create("billing", { maxAttempts: 5 });
 *   for (const { queue, lag } of await mq.admin.offsets.show("billing", "orders")) console.log(queue.queueId, lag);
 * }
 * ```
 */
export class Admin {
  /** Topics. */
  readonly topics: TopicAdmin;
  /** Consumer groups. */
  readonly groups: GroupAdmin;
  /** How far groups are. */
  readonly offsets: OffsetAdmin;
  readonly #cluster: Cluster;

  /**
   * Use `RocketMQ.admin`.
   * @ignore
   */
  constructor(network: RemotingNetwork) {
    this.#cluster = new Cluster(network);
    this.topics = new TopicAdmin(this.#cluster);
    this.groups = new GroupAdmin(this.#cluster);
    this.offsets = new OffsetAdmin(this.#cluster);
  }

  /** Broker groups of all clusters, by name. Rejects with ClientError. (106) */
  brokers(): Promise<BrokerGroup[]> {
    return this.#cluster.brokers();
  }
}
