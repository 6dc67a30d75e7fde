import { type JsonObject, RequestCode, toJson } from "@rmq/protocol";
import { withNamespace, withoutNamespace } from "../namespace.ts";
import { checkTopic } from "../producer/outgoing.ts";
import { bodyOf, type Cluster, objectOf } from "./cluster.ts";

/** What a consumer group is to be like. */
export interface GroupOptions {
  /** Whether it may consume. @default true */
  readonly enabled?: boolean;
  /** Whether its members may each get all messages. @default true */
  readonly broadcast?: boolean;
  /** Whether its messages come in the order of their queues. @default false */
  readonly ordered?: boolean;
  /** Deliveries that may fail before a message is a dead letter. @default 16 */
  readonly maxAttempts?: number;
  /** Queues of its retry topic. @default 1 */
  readonly retryQueues?: number;
  /** Only on the brokers of this cluster. @default all */
  readonly cluster?: string;
}

/** A consumer group. */
export interface GroupDescription {
  /** Without the namespace. */
  readonly group: string;
  /** See `GroupOptions`. */
  readonly enabled: boolean;
  /** See `GroupOptions`. */
  readonly broadcast: boolean;
  /** See `GroupOptions`. */
  readonly ordered: boolean;
  /** See `GroupOptions`. */
  readonly maxAttempts: number;
  /** See `GroupOptions`. */
  readonly retryQueues: number;
}

const encoder = new TextEncoder();

/** Consumer groups of the cluster. All methods reject with ClientError. */
export class GroupAdmin {
  readonly #cluster: Cluster;

  /** Use `RocketMQ.admin`. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Creates a group, or changes it, on each broker. (200) */
  async create(group: string, options: GroupOptions = {}): Promise<void> {
    checkTopic(group);
    const { enabled = true, broadcast = true, ordered = false, maxAttempts = 16, retryQueues = 1 } = options;
    const config = {
      groupName: withNamespace(this.#cluster.network.options.namespace, group),
      consumeEnable: enabled,
      consumeBroadcastEnable: broadcast,
      consumeFromMinEnable: true,
      consumeMessageOrderly: ordered,
      retryMaxTimes: maxAttempts,
      retryQueueNums: retryQueues,
      brokerId: 0,
      whichBrokerWhenConsumeSlowly: 1,
      notifyConsumerIdsChangedEnable: true,
    };
    const request = { code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body: encoder.encode(toJson(config)) };
    for (const { address } of await this.#cluster.masters(options.cluster)) {
      await this.#cluster.ask(`creating group ${group}`, address, request);
    }
  }

  /** All groups, by name; where brokers differ, the first of them counts. (201) */
  async list(): Promise<GroupDescription[]> {
    const { namespace } = this.#cluster.network.options;
    const found = new Map<string, GroupDescription>();
    for (const { address } of await this.#cluster.masters()) {
      const request = { code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG };
      const body = bodyOf("the list of groups", await this.#cluster.network.invoke(address, request));
      for (const [name, config] of Object.entries(objectOf(body.subscriptionGroupTable))) {
        const group = withoutNamespace(namespace, name);
        const foreign = namespace !== "" && group === name;
        if (!foreign && !found.has(group)) found.set(group, described(group, objectOf(config)));
      }
    }
    return [...found.values()].sort((a, b) => a.group < b.group ? -1 : 1);
  }

  /** Removes a group from all brokers, by default with its offsets. (207) */
  async delete(group: string, options: { keepOffsets?: boolean } = {}): Promise<void> {
    const groupName = withNamespace(this.#cluster.network.options.namespace, group);
    const fields = { groupName, cleanOffset: options.keepOffsets !== true };
    for (const { address } of await this.#cluster.masters()) {
      await this.#cluster.ask(`deleting group ${group}`, address, {
        code: RequestCode.DELETE_SUBSCRIPTIONGROUP,
        fields,
      });
    }
  }
}

function described(group: string, config: JsonObject): GroupDescription {
  return {
    group,
    enabled: config.consumeEnable !== false,
    broadcast: config.consumeBroadcastEnable !== false,
    ordered: config.consumeMessageOrderly === true,
    maxAttempts: Number(config.retryMaxTimes ?? 16),
    retryQueues: Number(config.retryQueueNums ?? 1),
  };
}
