import type { Clock, Logger, Timer } from "@rmq/platform";
import { RequestCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { type ClientInfo, type ConsumerData, ConsumerGroup, type ConsumerGroupInfo } from "./consumer_group.ts";

export type { ClientInfo, ConsumerData, ConsumerGroupInfo } from "./consumer_group.ts";
export { parseSubscription, type SubscriptionData } from "./subscription.ts";

const SCAN_PERIOD_MS = 10_000;
/** Groups that one connection may take part in, producers and consumers each. */
const MAX_GROUPS_PER_CONNECTION = 4096;
/** Groups whose fingerprint is kept, online or not. */
const MAX_FINGERPRINTS = 65536;

/** What a client table is made of. */
export interface ClientTableOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: {
    /** ms without a heartbeat after which a client's connection is closed. */
    readonly channelExpiredTimeout: number;
    readonly notifyConsumerIdsChangedEnable: boolean;
  };
}

/** What a connection is part of. */
interface Presence {
  readonly consumers: Set<string>;
  readonly producers: Set<string>;
  /** What it calls itself as a producer; null: it is none. */
  producerId: string | null;
  /** Monotonic, of the last heartbeat. */
  seenUs: number;
}

/** Who is online: producers and consumers by group, as their heartbeats say (`ProducerManager`, `ConsumerManager`). */
export class ClientTable {
  readonly #options: ClientTableOptions;
  readonly #consumers = new Map<string, ConsumerGroup>();
  readonly #producers = new Map<string, Map<RemotingConnection, ClientInfo>>();
  readonly #present = new Map<RemotingConnection, Presence>();
  /** The connections of producers by client id, the latest of each. */
  readonly #byId = new Map<string, RemotingConnection>();
  /** Groups whose members will hear at the end of this turn, and who has heard already. */
  readonly #notices = new Map<string, Set<RemotingConnection>>();
  /** Of the last heartbeat of each consumer group (V2). */
  readonly #fingerprints = new Map<string, number>();
  #scan: Timer | null = null;
  #groupGone: (group: string) => void = () => {};

  constructor(options: ClientTableOptions) {
    this.#options = options;
  }

  /** Begins to look for clients that went silent. */
  start(): void {
    this.#scan ??= this.#options.clock.every(SCAN_PERIOD_MS, () => this.#expire());
  }

  close(): void {
    this.#scan?.cancel();
    this.#scan = null;
  }

  /** Calls `listener` with each consumer group whose last member left. */
  onGroupGone(listener: (group: string) => void): void {
    this.#groupGone = listener;
  }

  /** The group, if a member is online. */
  consumerGroup(group: string): ConsumerGroupInfo | null {
    return this.#consumers.get(group) ?? null;
  }

  /** The producers of a group; null: none is online. */
  producers(group: string): ReadonlyMap<RemotingConnection, ClientInfo> | null {
    return this.#producers.get(group) ?? null;
  }

  /** The connection of the producer with this client id (`ProducerManager.findChannel`), or null. */
  producer(clientId: string): RemotingConnection | null {
    return this.#byId.get(clientId) ?? null;
  }

  consumerGroups(): IterableIterator<ConsumerGroupInfo> {
    return this.#consumers.values();
  }

  producerGroups(): IterableIterator<[string, ReadonlyMap<RemotingConnection, ClientInfo>]> {
    return this.#producers.entries();
  }

  /**
   * Takes a consumer's heartbeat for one group. Members hear of a change (code 40): this one before anything that is
   * written to it later, the others when the turn ends. True: something changed.
   */
  registerConsumer(data: ConsumerData, client: ClientInfo, notifies: boolean): boolean {
    const presence = this.#see(client.connection);
    if (!presence.consumers.has(data.groupName) && presence.consumers.size >= MAX_GROUPS_PER_CONNECTION) return false;
    presence.consumers.add(data.groupName);
    let group = this.#consumers.get(data.groupName);
    if (group === undefined) this.#consumers.set(data.groupName, group = new ConsumerGroup(data.groupName));
    group.notifies = notifies;
    const changed = group.take(data, client);
    if (changed) this.#noticeMembers(group, client.connection);
    return changed;
  }

  /**
   * Notes what fingerprint a group's heartbeat had; true: another one than the last time, so that the client must send
   * its subscriptions again.
   */
  noteFingerprint(group: string, fingerprint: number): boolean {
    const last = this.#fingerprints.get(group);
    if (last === undefined && this.#fingerprints.size >= MAX_FINGERPRINTS) return true;
    this.#fingerprints.set(group, fingerprint);
    return last !== undefined && last !== fingerprint;
  }

  registerProducer(group: string, client: ClientInfo): void {
    const presence = this.#see(client.connection);
    if (!presence.producers.has(group) && presence.producers.size >= MAX_GROUPS_PER_CONNECTION) return;
    presence.producers.add(group);
    if (presence.producerId !== client.clientId || !this.#byId.has(client.clientId)) {
      this.#forgetId(presence, client.connection);
      presence.producerId = client.clientId;
      this.#byId.set(client.clientId, client.connection);
    }
    let clients = this.#producers.get(group);
    if (clients === undefined) this.#producers.set(group, clients = new Map());
    clients.set(client.connection, client);
  }

  unregisterConsumer(group: string, connection: RemotingConnection): void {
    this.#present.get(connection)?.consumers.delete(group);
    const info = this.#consumers.get(group);
    if (info === undefined || !info.members.delete(connection)) return;
    if (info.members.size > 0) return this.#noticeMembers(info, null);
    this.#consumers.delete(group);
    this.#groupGone(group);
  }

  unregisterProducer(group: string, connection: RemotingConnection): void {
    const presence = this.#present.get(connection);
    presence?.producers.delete(group);
    if (presence?.producers.size === 0) this.#forgetId(presence, connection);
    const clients = this.#producers.get(group);
    clients?.delete(connection);
    if (clients?.size === 0) this.#producers.delete(group);
  }

  /** Forgets all that a connection took part in; for when it is gone. */
  drop(connection: RemotingConnection): void {
    const presence = this.#present.get(connection);
    if (presence === undefined) return;
    this.#present.delete(connection);
    for (const group of presence.consumers) this.unregisterConsumer(group, connection);
    for (const group of presence.producers) this.unregisterProducer(group, connection);
    this.#forgetId(presence, connection);
  }

  /** Its client id stands for it no longer; another connection may have taken it over already. */
  #forgetId(presence: Presence, connection: RemotingConnection): void {
    const { producerId } = presence;
    presence.producerId = null;
    if (producerId !== null && this.#byId.get(producerId) === connection) this.#byId.delete(producerId);
  }

  #see(connection: RemotingConnection): Presence {
    let presence = this.#present.get(connection);
    if (presence === undefined) {
      presence = { consumers: new Set(), producers: new Set(), producerId: null, seenUs: 0 };
      this.#present.set(connection, presence);
    }
    presence.seenUs = this.#options.clock.monotonicUs();
    return presence;
  }

  #expire(): void {
    const { clock, logger, settings } = this.#options;
    const oldest = clock.monotonicUs() - settings.channelExpiredTimeout * 1000;
    for (const [connection, presence] of this.#present) {
      if (presence.seenUs >= oldest) continue;
      logger.warn("a client sent no heartbeat, its connection is closed", { client: connection.peerText });
      this.drop(connection);
      connection.close();
    }
  }

  #noticeMembers(group: ConsumerGroup, first: RemotingConnection | null): void {
    if (!this.#options.settings.notifyConsumerIdsChangedEnable || !group.notifies) return;
    if (group.messageModel === "BROADCASTING") return;
    let told = this.#notices.get(group.group);
    if (told === undefined) {
      this.#notices.set(group.group, told = new Set());
      this.#options.clock.afterTurn(() => this.#noticeRest(group.group));
    }
    // What the others heard earlier in this turn is old news now.
    told.clear();
    if (first === null) return;
    tell(group.group, first);
    told.add(first);
  }

  #noticeRest(group: string): void {
    const told = this.#notices.get(group);
    this.#notices.delete(group);
    for (const connection of this.#consumers.get(group)?.members.keys() ?? []) {
      if (told?.has(connection) !== true) tell(group, connection);
    }
  }
}

function tell(group: string, connection: RemotingConnection): void {
  connection.oneway({ code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, fields: { consumerGroup: group } });
}
