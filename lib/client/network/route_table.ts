import type { Logger, Platform, Timer } from "@rmq/platform";
import { RequestCode, ResponseCode } from "@rmq/protocol";
import { ClientError, refused } from "../client_error.ts";
import { throwIfAborted, unlessAborted } from "../waiting.ts";
import type { NameServers } from "./name_servers.ts";
import type { Routes } from "./network.ts";
import { assumedRoute, readRoute } from "./read_route.ts";
import type { RouteBroker, TopicRoute } from "./route.ts";

/** The topic that brokers make others from. (AUTO_CREATE_TOPIC_KEY_TOPIC) */
export const DEFAULT_TOPIC = "TBW102";
/** Queues of a topic that is made by sending to it. (defaultTopicQueueNums of the client) */
export const DEFAULT_QUEUES = 4;
/** A topic that nobody asked for during so many polls is forgotten. */
const IDLE_POLLS = 20;
/** How soon a route that was only assumed is looked for again. */
const ASSUMED_POLL_MS = 1000;

interface Entry {
  route: TopicRoute | null;
  /** The body that `route` was read from, to see changes. */
  body: Uint8Array | null;
  looking: Promise<TopicRoute> | null;
  readonly listeners: Set<(route: TopicRoute) => void>;
  /** Asked for since the last poll. */
  used: boolean;
  idlePolls: number;
}

/** What the table needs of its surroundings. */
export interface RouteTableParts {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly nameServers: NameServers;
  readonly timeoutMs: number;
  readonly pollMs: number;
  /** Told after a route with other addresses than before came. */
  readonly changed: () => void;
}

/** Routes by topic. (MQClientInstance.updateTopicRouteInfoFromNameServer) */
export class RouteTable implements Routes {
  readonly #parts: RouteTableParts;
  readonly #entries = new Map<string, Entry>();
  #brokers: ReadonlyMap<string, RouteBroker> = new Map();
  readonly #poll: Timer;
  #assumedPoll: Timer | null = null;
  #polling = false;

  constructor(parts: RouteTableParts) {
    this.#parts = parts;
    this.#poll = parts.platform.clock.every(parts.pollMs, () => void this.#pollAll());
  }

  /** Broker groups of all routes by name. */
  get brokers(): ReadonlyMap<string, RouteBroker> {
    return this.#brokers;
  }

  /** Topics that are known. */
  get topics(): string[] {
    return [...this.#entries.keys()];
  }

  cached(topic: string): TopicRoute | null {
    const entry = this.#entries.get(topic);
    if (entry === undefined) return null;
    entry.used = true;
    return entry.route;
  }

  async route(topic: string, options: { signal?: AbortSignal; forSending?: boolean } = {}): Promise<TopicRoute> {
    const { signal, forSending = false } = options;
    throwIfAborted(signal);
    const known = this.cached(topic);
    if (known !== null && (forSending || !known.assumed)) return known;
    try {
      return await unlessAborted(this.refresh(topic), signal);
    } catch (error) {
      if (!forSending || !(error instanceof ClientError) || error.code !== "TOPIC_NOT_FOUND") throw error;
      return await this.#assume(topic, error, signal);
    }
  }

  refresh(topic: string): Promise<TopicRoute> {
    const entry = this.#entry(topic);
    entry.used = true;
    return entry.looking ??= this.#look(topic, entry).finally(() => {
      entry.looking = null;
      this.#dropIfUnused(topic, entry);
    });
  }

  watch(topic: string, changed: (route: TopicRoute) => void): () => void {
    const entry = this.#entry(topic);
    entry.listeners.add(changed);
    return () => void entry.listeners.delete(changed);
  }

  /** Forgets a topic that was deleted; whoever watches it goes on watching. */
  forget(topic: string): void {
    const entry = this.#entries.get(topic);
    if (entry === undefined) return;
    entry.route = entry.body = null;
    this.#dropIfUnused(topic, entry);
    this.#gatherBrokers();
  }

  close(): void {
    this.#poll.cancel();
    this.#assumedPoll?.cancel();
  }

  #entry(topic: string): Entry {
    let entry = this.#entries.get(topic);
    if (entry === undefined) {
      entry = { route: null, body: null, looking: null, listeners: new Set(), used: true, idlePolls: 0 };
      this.#entries.set(topic, entry);
    }
    return entry;
  }

  /** A topic that was asked for in vain leaves nothing behind. */
  #dropIfUnused(topic: string, entry: Entry): void {
    if (entry.route === null && entry.listeners.size === 0) this.#entries.delete(topic);
  }

  async #look(topic: string, entry: Entry): Promise<TopicRoute> {
    const fields = { topic, acceptStandardJsonOnly: true };
    const request = { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, fields };
    const response = await this.#parts.nameServers.ask(request, this.#parts.timeoutMs);
    if (response.code !== ResponseCode.SUCCESS) throw refused(`the route of ${topic}`, response.code, response.remark);
    if (response.body === null) throw new ClientError("BAD_ANSWER", `the route of ${topic} is empty`);
    if (entry.route !== null && entry.body !== null && equal(entry.body, response.body)) return entry.route;
    const route = readRoute(topic, response.body);
    entry.body = response.body;
    this.#take(entry, route);
    return route;
  }

  #take(entry: Entry, route: TopicRoute): void {
    entry.route = route;
    // A look-up that began before the last user left may end after it.
    if (!this.#entries.has(route.topic)) this.#entries.set(route.topic, entry);
    this.#gatherBrokers();
    this.#parts.changed();
    for (const listener of entry.listeners) {
      try {
        listener(route);
      } catch (error) {
        this.#parts.logger.error("a listener to routes failed", { topic: route.topic, error: String(error) });
      }
    }
  }

  /** What a broker will make of a topic that it does not have yet. */
  async #assume(topic: string, notFound: ClientError, signal: AbortSignal | undefined): Promise<TopicRoute> {
    let ofDefault: TopicRoute;
    try {
      ofDefault = await unlessAborted(this.refresh(DEFAULT_TOPIC), signal);
    } catch (error) {
      throw error instanceof ClientError && error.code === "TOPIC_NOT_FOUND" ? notFound : error;
    }
    const entry = this.#entry(topic);
    if (entry.route !== null) return entry.route;
    const route = assumedRoute(topic, ofDefault, DEFAULT_QUEUES);
    this.#take(entry, route);
    this.#assumedPoll ??= this.#parts.platform.clock.setTimer(ASSUMED_POLL_MS, () => void this.#pollAssumed());
    return route;
  }

  async #pollAssumed(): Promise<void> {
    const assumed = [...this.#entries].filter(([, { route, used }]) => used && route?.assumed === true);
    for (const [topic] of assumed) await this.refresh(topic).catch(() => null);
    this.#assumedPoll = null;
    const left = assumed.some(([topic]) => this.#entries.get(topic)?.route?.assumed === true);
    if (left) this.#assumedPoll = this.#parts.platform.clock.setTimer(ASSUMED_POLL_MS, () => void this.#pollAssumed());
  }

  async #pollAll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    try {
      for (const [topic, entry] of [...this.#entries]) {
        entry.idlePolls = entry.used || entry.listeners.size > 0 ? 0 : entry.idlePolls + 1;
        entry.used = false;
        if (entry.idlePolls >= IDLE_POLLS) this.#entries.delete(topic);
        else if (!await this.#polled(topic, entry)) break;
      }
      this.#gatherBrokers();
    } finally {
      this.#polling = false;
    }
  }

  /** False when no name server answers, so that the rest of the topics need not be tried. */
  async #polled(topic: string, entry: Entry): Promise<boolean> {
    entry.looking ??= this.#look(topic, entry).finally(() => void (entry.looking = null));
    try {
      await entry.looking;
    } catch (error) {
      // The name servers have said so themselves; a topic that has gone keeps its last route, as Java's has.
      if (error instanceof ClientError && (error.code === "NAMESRV_UNREACHABLE" || error.code === "CLOSED")) {
        return false;
      }
      if (!(error instanceof ClientError && error.code === "TOPIC_NOT_FOUND")) {
        this.#parts.logger.warn("a route could not be read", { topic, error: String(error) });
      }
    }
    return true;
  }

  #gatherBrokers(): void {
    const brokers = new Map<string, RouteBroker>();
    for (const { route } of this.#entries.values()) {
      for (const [name, broker] of route?.brokers ?? []) brokers.set(name, broker);
    }
    this.#brokers = brokers;
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
