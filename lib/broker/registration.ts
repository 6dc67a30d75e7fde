import type { Logger, Platform } from "@rmq/platform";
import { crc32, MAX_FRAME_LENGTH, RequestCode, ResponseCode } from "@rmq/protocol";
import type { RemotingClient, Response } from "@rmq/remoting";
import { versionJson } from "./data_version.ts";
import { JsonMembers } from "./json_members.ts";
import { NameServer } from "./name_server.ts";
import type { BrokerSettings } from "./settings.ts";
import { encodeSliced } from "./text_slices.ts";
import type { Topic } from "./topics/topic.ts";
import { topicConfigJson } from "./topics/topic_config.ts";
import type { TopicTable } from "./topics/topic_table.ts";

/** Topics that one registration carries; a larger table goes in several, none of them the single topic of §13.1's trap. */
const TOPICS_PER_REQUEST = 5000;
/** Up to so many topics a change registers the whole table, beyond it only what changed. */
const WHOLE_TABLE = 1000;
/** A start does not wait longer than this for name servers that don't answer. */
const START_PATIENCE_MS = 1000;
/** At the end each name server gets so long to take the good-bye. */
const UNREGISTER_PATIENCE_MS = 300;
const MIN_PERIOD_MS = 10_000;
const MAX_PERIOD_MS = 60_000;

/** What a registration needs of the broker. */
export interface RegistrationParts {
  readonly platform: Pick<Platform, "clock">;
  readonly logger: Logger;
  readonly settings: Pick<
    BrokerSettings,
    | "brokerClusterName"
    | "brokerId"
    | "brokerIP2"
    | "brokerName"
    | "brokerPermission"
    | "forceRegister"
    | "haListenPort"
    | "namesrvAddr"
    | "registerBrokerTimeoutMills"
    | "registerNameServerPeriod"
  >;
  readonly topics: Pick<TopicTable, "all" | "get" | "size" | "dataVersion" | "update">;
  readonly client: Pick<RemotingClient, "connection" | "request">;
}

/**
 * Keeps this broker known to all its name servers: at start, each registerNameServerPeriod, at each change of a topic,
 * and as soon as a lost one is there again (`BrokerController.registerBrokerAll`, `BrokerOuterAPI`). Each name server is
 * served on its own: one that is down holds up none of the others.
 */
export class Registration {
  readonly #parts: RegistrationParts;
  readonly #servers: readonly NameServer[];
  readonly #mappingVersion: string;

  /** `address`: `ip:port` told to clients. */
  constructor(parts: RegistrationParts, readonly address: string) {
    this.#parts = parts;
    const { platform, logger, settings } = parts;
    this.#mappingVersion = `{"counter":0,"stateVersion":0,"timestamp":${platform.clock.nowMs()}}`;
    const period = Math.min(Math.max(settings.registerNameServerPeriod, MIN_PERIOD_MS), MAX_PERIOD_MS);
    this.#servers = addressesOf(settings.namesrvAddr).map((server) =>
      new NameServer({
        address: server,
        clock: platform.clock,
        logger,
        client: parts.client,
        periodMs: period,
        register: (topics) => this.#register(server, topics),
        isKnown: settings.forceRegister ? null : () => this.#isKnown(server),
      })
    );
  }

  /** Registers with all; resolves when each has answered or failed, or after a second. */
  async start(): Promise<void> {
    const attempts = this.#servers.map((server) => server.start());
    if (attempts.length === 0) return;
    await Promise.race([Promise.all(attempts), this.#after(START_PATIENCE_MS)]);
  }

  /** Topics were made, changed or deleted. */
  changed(topics: readonly Topic[]): void {
    const whole = this.#parts.topics.size <= WHOLE_TABLE || topics.some((topic) => topic.deleted);
    for (const server of this.#servers) server.changed(whole ? null : topics.map((topic) => topic.name));
  }

  /** Says good-bye to all that know this broker, and registers no more. */
  async unregister(): Promise<void> {
    const { brokerName, brokerClusterName, brokerId } = this.#parts.settings;
    const fields = { brokerName, brokerAddr: this.address, clusterName: brokerClusterName, brokerId };
    await Promise.all(this.#servers.map(async (server) => {
      if (!server.stop()) return;
      await this.#parts.client
        .request(server.address, { code: RequestCode.UNREGISTER_BROKER, fields }, UNREGISTER_PATIENCE_MS)
        .catch(() => {});
    }));
  }

  #after(ms: number): Promise<void> {
    return new Promise((resolve) => this.#parts.platform.clock.setTimer(ms, resolve));
  }

  /** One registration: the whole table (`topics` null) or a part of it. Rejects when the name server does not take it. */
  async #register(server: string, topics: readonly string[] | null): Promise<void> {
    const names = topics ?? Array.from(this.#parts.topics.all(), (topic) => topic.name);
    for (let from = 0; from === 0 || from < names.length; from += TOPICS_PER_REQUEST) {
      const body = await this.#body(names.slice(from, from + TOPICS_PER_REQUEST));
      const response = await this.#request(server, body);
      if (response.code !== ResponseCode.SUCCESS) {
        throw new Error(`it answered ${response.code}: ${response.remark ?? "no remark"}`);
      }
      this.#takeOrderTopics(response.body);
    }
  }

  #request(server: string, body: Uint8Array): Promise<Response> {
    const { settings, client } = this.#parts;
    const fields = {
      brokerName: settings.brokerName,
      brokerAddr: this.address,
      clusterName: settings.brokerClusterName,
      haServerAddr: `${bracketed(settings.brokerIP2)}:${settings.haListenPort}`,
      brokerId: settings.brokerId,
      enableActingMaster: false,
      compressed: false,
      bodyCrc32: crc32(body) & 0x7fffffff,
    };
    const request = { code: RequestCode.REGISTER_BROKER, fields, body };
    return client.request(server, request, settings.registerBrokerTimeoutMills);
  }

  #body(names: readonly string[]): Promise<Uint8Array> {
    return new Promise((resolve, reject) =>
      encodeSliced(this.#parts.platform.clock, this.#bodyJson(names), resolve, reject)
    );
  }

  /** RegisterBrokerBody; a broker that must not be written or read registers its topics without that permission. */
  *#bodyJson(names: readonly string[]): IterableIterator<string> {
    const { topics, settings } = this.#parts;
    yield `{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":${versionJson(topics.dataVersion)},` +
      `"mappingDataVersion":${this.#mappingVersion},"topicConfigTable":{`;
    const restricted = (settings.brokerPermission & 6) !== 6;
    let comma = "";
    for (const name of names) {
      const topic = topics.get(name);
      // Deleted since the list was begun.
      if (topic === null) continue;
      const { config } = topic;
      const json = restricted
        ? topicConfigJson({ ...config, perm: config.perm & settings.brokerPermission })
        : topic.json;
      yield `${comma}${JSON.stringify(name)}:${json}`;
      comma = ",";
    }
    yield `},"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}}`;
  }

  /** Whether the name server has this version of the table (322). */
  async #isKnown(server: string): Promise<boolean> {
    const { settings, client, topics } = this.#parts;
    const fields = {
      brokerName: settings.brokerName,
      brokerAddr: this.address,
      clusterName: settings.brokerClusterName,
      brokerId: settings.brokerId,
    };
    const body = new TextEncoder().encode(versionJson(topics.dataVersion));
    const request = { code: RequestCode.QUERY_DATA_VERSION, fields, body };
    const response = await client.request(server, request, settings.registerBrokerTimeoutMills);
    return response.code === ResponseCode.SUCCESS && response.fields.get("changed") === "false";
  }

  /** The name server's list of ordered topics marks ours (`updateOrderTopicConfig`). */
  #takeOrderTopics(body: Uint8Array | null): void {
    if (body === null || body.length === 0) return;
    const table = JsonMembers.parse(body, MAX_FRAME_LENGTH)?.object("table") ?? null;
    for (const name of table?.names() ?? []) {
      const topic = this.#parts.topics.get(name);
      if (topic !== null && !topic.config.order) this.#parts.topics.update({ ...topic.config, order: true });
    }
  }
}

/** `host:port;host:port`, without blanks and repetitions. */
function addressesOf(text: string): string[] {
  return [...new Set(text.split(";").map((address) => address.trim()).filter((address) => address !== ""))];
}

/** An IPv6 literal needs brackets before a port. */
function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
