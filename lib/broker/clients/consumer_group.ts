import type { RemotingConnection } from "@rmq/remoting";
import type { SubscriptionData } from "./subscription.ts";

/** A producer or consumer instance on one connection (`ClientChannelInfo`). */
export interface ClientInfo {
  readonly clientId: string;
  readonly connection: RemotingConnection;
  /** Language code, -1 unknown. */
  readonly language: number;
  /** MQVersion ordinal. */
  readonly version: number;
}

/** How a consumer presents its group in a heartbeat (`ConsumerData`). */
export interface ConsumerData {
  readonly groupName: string;
  /** `CONSUME_ACTIVELY`, `CONSUME_PASSIVELY` or `CONSUME_POP`. */
  readonly consumeType: string;
  readonly messageModel: "CLUSTERING" | "BROADCASTING";
  readonly consumeFromWhere: string;
  /** null: as before (`withoutSub` of a V2 heartbeat). */
  readonly subscriptions: readonly SubscriptionData[] | null;
  readonly unitMode: boolean;
}

/** A consumer group with members online, as requests read it. */
export interface ConsumerGroupInfo {
  readonly group: string;
  readonly consumeType: string;
  readonly messageModel: "CLUSTERING" | "BROADCASTING";
  readonly consumeFromWhere: string;
  /** What the group wants of a topic; null: it does not subscribe to it. */
  subscription(topic: string): SubscriptionData | null;
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
  readonly members: ReadonlyMap<RemotingConnection, ClientInfo>;
}

/** The members and subscriptions of a group, as heartbeats tell them (`ConsumerGroupInfo`). */
export class ConsumerGroup implements ConsumerGroupInfo {
  readonly members: Map<RemotingConnection, ClientInfo> = new Map();
  readonly subscriptions: Map<string, SubscriptionData> = new Map();
  consumeType = "CONSUME_PASSIVELY";
  messageModel: "CLUSTERING" | "BROADCASTING" = "CLUSTERING";
  consumeFromWhere = "CONSUME_FROM_LAST_OFFSET";
  /** Whether members hear of each other (the group's notifyConsumerIdsChangedEnable). */
  notifies = true;

  constructor(readonly group: string) {}

  subscription(topic: string): SubscriptionData | null {
    return this.subscriptions.get(topic) ?? null;
  }

  /** Takes a member's heartbeat; true: it is new, or topics came or went. */
  take(data: ConsumerData, client: ClientInfo): boolean {
    this.consumeType = data.consumeType;
    this.messageModel = data.messageModel;
    this.consumeFromWhere = data.consumeFromWhere;
    const isNew = !this.members.has(client.connection);
    this.members.set(client.connection, client);
    return data.subscriptions === null ? isNew : this.#subscribe(data.subscriptions) || isNew;
  }

  #subscribe(subscriptions: readonly SubscriptionData[]): boolean {
    let changed = false;
    const topics = new Set<string>();
    for (const data of subscriptions) {
      topics.add(data.topic);
      const old = this.subscriptions.get(data.topic);
      if (old === undefined) changed = true;
      // A newer version of the same topic replaces the old one without a notice to the others.
      if (old === undefined || data.subVersion > old.subVersion) this.subscriptions.set(data.topic, data);
    }
    for (const topic of this.subscriptions.keys()) {
      if (topics.has(topic)) continue;
      this.subscriptions.delete(topic);
      changed = true;
    }
    return changed;
  }
}
