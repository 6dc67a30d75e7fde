import type { Logger, Platform } from "@rmq/platform";
import type { Handler, PeerRequest, RemotingConnection, Response } from "@rmq/remoting";
import type { ResolvedOptions } from "../options.ts";
import type { TopicRoute } from "./route.ts";

/** Limits of one call. */
export interface CallOptions {
  /** Time for the answer, connecting included, ms. @default requestTimeoutMs */
  readonly timeoutMs?: number;
  /** Aborting it gives up waiting; what was sent is not taken back. */
  readonly signal?: AbortSignal;
}

/** Routes of topics: cached, refreshed, watched. Topics are those on the wire, with the namespace. */
export interface Routes {
  /** The cached route, or null; for paths that cannot wait. */
  cached(topic: string): TopicRoute | null;
  /**
   * The route, looked up when it is not cached; one request in flight per topic. Rejects with ClientError
   * `TOPIC_NOT_FOUND`, `NAMESRV_UNREACHABLE`, `ABORTED`, `CLOSED`. With `forSending` a topic that does not exist gets
   * the queues that a broker would create for it (route of TBW102).
   */
  route(topic: string, options?: { readonly signal?: AbortSignal; readonly forSending?: boolean }): Promise<TopicRoute>;
  /** Looks it up again now, whatever is cached; rejects as `route` does. */
  refresh(topic: string): Promise<TopicRoute>;
  /**
   * Calls `changed` with each new route of the topic, from the next change on; the topic is polled as long as it is
   * watched. Returns the end of watching.
   */
  watch(topic: string, changed: (route: TopicRoute) => void): () => void;
}

/** What a consumer tells brokers about one of its subscriptions (`SubscriptionData`). */
export interface SubscriptionData {
  /** With the namespace. */
  readonly topic: string;
  /** `*`, `A || B`, or SQL. */
  readonly subString: string;
  /** Language of `subString`. */
  readonly expressionType: "TAG" | "SQL92";
  /** Tags of a tag expression; empty for `*`. */
  readonly tagsSet: readonly string[];
  /** Java hash codes of the tags. */
  readonly codeSet: readonly number[];
  /** ms since 1970; a changed subscription has a later one. */
  readonly subVersion: number;
}

/** What a consumer tells brokers about itself (`ConsumerData`). */
export interface ConsumerData {
  /** With the namespace. */
  readonly groupName: string;
  /** `CONSUME_PASSIVELY` push, `CONSUME_ACTIVELY` pull. */
  readonly consumeType: "CONSUME_PASSIVELY" | "CONSUME_ACTIVELY" | "CONSUME_POP";
  /** Who gets a message: one of the group or each. */
  readonly messageModel: "CLUSTERING" | "BROADCASTING";
  /** Where a group without offsets begins. */
  readonly consumeFromWhere: "CONSUME_FROM_LAST_OFFSET" | "CONSUME_FROM_FIRST_OFFSET" | "CONSUME_FROM_TIMESTAMP";
  /** What it reads. */
  readonly subscriptionDataSet: readonly SubscriptionData[];
  /** A member of a unit. */
  readonly unitMode: boolean;
}

/** What brokers hear of our groups: each `heartbeatMs`, at a new broker, and on `sendNow`. */
export interface Heartbeat {
  /** Names a producer group, so that brokers can ask it (39) or answer it (326). */
  setProducer(group: string): void;
  /** Tells brokers that the group has no producer here any more (35). */
  removeProducer(group: string): Promise<void>;
  /** Names a consumer, or replaces what was said of its group. */
  setConsumer(data: ConsumerData): void;
  /** Tells brokers that the group has no consumer here any more (35). */
  removeConsumer(group: string): Promise<void>;
  /** To all known brokers, or to the one at `address`; resolves when all have answered or failed (failures are logged). */
  sendNow(address?: string): Promise<void>;
}

/** All that the client says to name servers and brokers goes through here. */
export interface Network {
  /** The machine. */
  readonly platform: Platform;
  /** Who we are to brokers. */
  readonly clientId: string;
  /** What the client was made with. */
  readonly options: ResolvedOptions;
  /** Where the client says what an operator should know. */
  readonly logger: Logger;
  /** Where topics are. */
  readonly routes: Routes;
  /** What brokers hear of our groups. */
  readonly heartbeat: Heartbeat;
  /** True from `close` on. */
  readonly closed: boolean;
  /**
   * One request to `host:port`; the answer with whatever code it has (`expectSuccess` throws for all but 0). Signed
   * when there are credentials. Rejects with ClientError `TIMEOUT`, `BROKER_UNREACHABLE`, `TOO_MANY_PENDING`,
   * `ABORTED`, `CLOSED`.
   */
  invoke(address: string, request: PeerRequest, call?: CallOptions): Promise<Response>;
  /** A request without an answer; rejects when there is no connection. */
  oneway(address: string, request: PeerRequest): Promise<void>;
  /** One request to the name servers, the next one being asked when one does not answer. Rejects `NAMESRV_UNREACHABLE`. */
  askNameServer(request: PeerRequest, call?: CallOptions): Promise<Response>;
  /** The open connection to an address, or null; for paths that write their frames themselves. */
  connected(address: string): RemotingConnection | null;
  /** The connection to an address, made when there is none. Rejects with ClientError. */
  connection(address: string): Promise<RemotingConnection>;
  /** `ip:port` of a broker of the group (0, the master, by default), or null when it is not known. */
  brokerAddress(brokerName: string, brokerId?: number): string | null;
  /** The same for reading: `preferredId` if it is there, else the master, else a slave. */
  readAddress(brokerName: string, preferredId?: number): string | null;
  /** Version ordinal (`MQVersion`) of the broker at an address, as its heartbeat answer said; asked when unknown. */
  brokerVersion(address: string): Promise<number>;
  /** `ip:port` of all known brokers; of masters only by default. */
  brokerAddresses(slavesToo?: boolean): string[];
  /** Serves a request that brokers make (39, 40, 220, 221, 307, 309, 326); one handler for a code, the last counts. */
  serve(code: number, handler: Handler): void;
  /** Called once when the client closes, before connections do; returns the removal. */
  onClose(run: () => Promise<void>): () => void;
}
