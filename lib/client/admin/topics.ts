import { type JsonObject, Perm, RequestCode } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import { isSystemName, withNamespace, withoutNamespace } from "../namespace.ts";
import { BackOff } from "../network/back_off.ts";
import { DEFAULT_TOPIC } from "../network/route_table.ts";
import { checkTopic } from "../producer/outgoing.ts";
import { sleep } from "../waiting.ts";
import { bodyOf, type Cluster, objectOf } from "./cluster.ts";

/** What a topic is to be like. */
export interface TopicOptions {
  /** Queues on each broker. @default 8 */
  readonly queues?: number;
  /** Queues that are read; more than `queues` while a topic shrinks. @default `queues` */
  readonly readQueues?: number;
  /** What clients may do with it. @default "read-write" */
  readonly permission?: "read" | "write" | "read-write";
  /** Its order is kept even when a broker cannot be written (`order`). @default false */
  readonly order?: boolean;
  /** Attributes of the topic, `message.type` for one. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Only on the brokers of this cluster. @default all */
  readonly cluster?: string;
}

/** A topic on one broker. */
export interface TopicOnBroker {
  /** Broker group. */
  readonly brokerName: string;
  /** Queues that take messages. */
  readonly writeQueues: number;
  /** Queues that are read. */
  readonly readQueues: number;
  /** `Perm` bits: 4 read, 2 write. */
  readonly perm: number;
  /** See `TopicOptions`. */
  readonly order: boolean;
  /** See `TopicOptions`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A topic with all its brokers. */
export interface TopicDescription {
  /** Without the namespace. */
  readonly topic: string;
  /** By broker name. */
  readonly brokers: readonly TopicOnBroker[];
}

const PERMISSIONS = { read: Perm.READ, write: Perm.WRITE, "read-write": Perm.READ | Perm.WRITE } as const;
/** How long `create` waits for the name servers to have heard of a topic, ms. */
const VISIBLE_MS = 5000;

/** Topics of the cluster. All methods reject with ClientError. */
export class TopicAdmin {
  readonly #cluster: Cluster;

  /** Use `RocketMQ.admin`. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Creates a topic, or changes it, on each broker; resolves when the name servers know it. (17) */
  async create(topic: string, options: TopicOptions = {}): Promise<void> {
    checkTopic(topic);
    const { queues = 8, readQueues = queues, permission = "read-write", order = false, attributes } = options;
    const wire = this.#wire(topic);
    const fields = {
      topic: wire,
      defaultTopic: DEFAULT_TOPIC,
      readQueueNums: readQueues,
      writeQueueNums: queues,
      perm: PERMISSIONS[permission],
      topicFilterType: "SINGLE_TAG",
      topicSysFlag: 0,
      order,
      attributes: attributes === undefined
        ? null
        : Object.entries(attributes).map(([key, value]) => `+${key}=${value}`).join(","),
    };
    const masters = await this.#cluster.masters(options.cluster);
    for (const { address } of masters) {
      await this.#cluster.ask(`creating ${topic}`, address, { code: RequestCode.UPDATE_AND_CREATE_TOPIC, fields });
    }
    await this.#untilVisible(wire, masters.map(({ brokerName }) => brokerName));
  }

  /** Names of the topics, sorted; those of the system, retries and dead letters only with `all`. (206) */
  async list(options: { all?: boolean } = {}): Promise<string[]> {
    const request = { code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER };
    const body = bodyOf("the list of topics", await this.#cluster.network.askNameServer(request));
    const { namespace } = this.#cluster.network.options;
    const wire = Array.isArray(body.topicList) ? body.topicList.map(String) : [];
    const system = options.all === true ? new Set<string>() : await this.#systemTopics();
    return wire
      .filter((each) => options.all === true || !(each.startsWith("%") || isSystemName(each) || system.has(each)))
      .filter((each) => namespace === "" || withoutNamespace(namespace, each) !== each)
      .map((each) => withoutNamespace(namespace, each)).sort();
  }

  /** What a topic is like on each of its brokers. (351) */
  async describe(topic: string): Promise<TopicDescription> {
    const wire = this.#wire(topic);
    await this.#cluster.network.routes.refresh(wire);
    const brokers: TopicOnBroker[] = [];
    for (const { brokerName, address } of await this.#cluster.mastersOf(wire)) {
      const request = { code: RequestCode.GET_TOPIC_CONFIG, fields: { topic: wire } };
      const config = bodyOf(`describing ${topic}`, await this.#cluster.network.invoke(address, request));
      brokers.push(onBroker(brokerName, config));
    }
    return { topic, brokers: brokers.sort((a, b) => a.brokerName < b.brokerName ? -1 : 1) };
  }

  /** Removes a topic from all brokers and name servers. (215, 216) */
  async delete(topic: string): Promise<void> {
    const wire = this.#wire(topic);
    const { network } = this.#cluster;
    for (const { address } of await this.#cluster.masters()) {
      const request = { code: RequestCode.DELETE_TOPIC_IN_BROKER, fields: { topic: wire } };
      await this.#cluster.ask(`deleting ${topic}`, address, request);
    }
    for (const address of network.options.nameServers) {
      const request = { code: RequestCode.DELETE_TOPIC_IN_NAMESRV, fields: { topic: wire } };
      await this.#cluster.ask(`deleting ${topic}`, address, request);
    }
    network.routes.forget(wire);
  }

  /** Names of clusters and brokers are topics too; the name servers know which. (304) */
  async #systemTopics(): Promise<Set<string>> {
    const request = { code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS };
    const { topicList } = bodyOf("the list of topics", await this.#cluster.network.askNameServer(request));
    return new Set(Array.isArray(topicList) ? topicList.map(String) : []);
  }

  /** Brokers tell the name servers in their own time; what is not seen within some seconds will be later. */
  async #untilVisible(wire: string, brokerNames: readonly string[]): Promise<void> {
    const { routes, platform } = this.#cluster.network;
    const untilMs = platform.clock.monotonicUs() / 1000 + VISIBLE_MS;
    const pauses = new BackOff(platform.random, 20, 500);
    while (platform.clock.monotonicUs() / 1000 < untilMs) {
      try {
        const { brokers } = await routes.refresh(wire);
        if (brokerNames.every((name) => brokers.has(name))) return;
      } catch (error) {
        if (!(error instanceof ClientError) || error.code !== "TOPIC_NOT_FOUND") throw error;
      }
      await sleep(platform.clock, pauses.nextMs());
    }
  }

  #wire(topic: string): string {
    return withNamespace(this.#cluster.network.options.namespace, topic);
  }
}

function onBroker(brokerName: string, config: JsonObject): TopicOnBroker {
  return {
    brokerName,
    writeQueues: Number(config.writeQueueNums),
    readQueues: Number(config.readQueueNums),
    perm: Number(config.perm),
    order: config.order === true,
    attributes: Object.fromEntries(
      Object.entries(objectOf(config.attributes)).map(([key, value]) => [key, `${value}`]),
    ),
  };
}
