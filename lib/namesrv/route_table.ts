import {
  type Broker,
  brokerData,
  isPrime,
  type LiveBroker,
  liveKey,
  MASTER_ID,
  minOf,
  sameVersion,
} from "./broker_group.ts";
import type {
  BrokerData,
  DataVersion,
  MinBrokerIdChange,
  QueueData,
  Registered,
  Registration,
  RegistrationBody,
  RegistrationHead,
  TopicQueueMapping,
  TopicRoute,
  Unregistration,
} from "./route_types.ts";
import { TopicQueues } from "./topic_queues.ts";

const PERM_WRITE = 2;
const PERM_READ_WRITE = 6;
const DEFAULT_EXPIRY_MS = 120_000;
const SYNC_MEMBER_PREFIX = "rmq_sys_SYNC_BROKER_MEMBER_";

/** A registration whose topics are taken in slices. */
export interface BegunRegistration {
  /** null: refused. */
  readonly registered: Registered | null;
  /** Takes more topics; true while some are left. */
  readonly rest: () => boolean;
}

const nothingLeft = (): boolean => false;

/** The parts of the settings that the table goes by. */
export interface RouteSettings {
  /** A slave is shown in its lost master's place. */
  readonly supportActingMaster: boolean;
  /** Topics that a registration leaves out are forgotten. */
  readonly deleteTopicWithBrokerRegistration: boolean;
}

/**
 * Which brokers there are and which topics they have: soft state that lives as long as brokers repeat it. Knows no
 * clock and no connection: times and owners are given. (RouteInfoManager)
 */
export class RouteTable {
  readonly #queues = new TopicQueues();
  readonly #mappings = new Map<string, Map<string, TopicQueueMapping>>();
  readonly #brokers = new Map<string, Broker>();
  readonly #clusters = new Map<string, Set<string>>();
  readonly #live = new Map<string, LiveBroker>();
  readonly #filterServers = new Map<string, readonly string[]>();
  readonly #changed: (change: MinBrokerIdChange) => void;
  #version = 0;
  /** In force now; 318 changes them. */
  settings: RouteSettings;

  /** Counts what changes answers about topics and clusters; answers of an equal version may be used again. */
  get version(): number {
    return this.#version + this.#queues.version;
  }

  /** `minBrokerIdChanged` is told of brokers that have to learn of it. */
  constructor(settings: RouteSettings, minBrokerIdChanged: (change: MinBrokerIdChange) => void = () => {}) {
    this.settings = settings;
    this.#changed = minBrokerIdChanged;
  }

  /**
   * A registration that says what the last one said: a sign of life, without a look at its topics. Undefined when it
   * has to be read.
   */
  repeat(head: RegistrationHead, nowMs: number): Registered | undefined {
    const { clusterName, brokerAddr, brokerName, brokerId, enableActingMaster, fingerprint } = head;
    const key = liveKey(clusterName, brokerAddr);
    const live = this.#live.get(key);
    const broker = this.#brokers.get(brokerName);
    if (fingerprint === null || live?.fingerprint !== fingerprint || broker === undefined || !broker.intact) return;
    if (broker.addrs.get(brokerId) !== brokerAddr || live.prime !== isPrime(head, broker)) return;
    if (broker.cluster !== clusterName || !this.#clusters.get(clusterName)?.has(brokerName)) return;
    broker.enableActingMaster = enableActingMaster ?? false;
    broker.zoneName = head.zoneName;
    const { owner, haServerAddr } = head;
    const expiryMs = head.heartbeatTimeoutMs ?? DEFAULT_EXPIRY_MS;
    this.#live.set(key, { ...live, owner, haServerAddr, expiryMs, lastHeardMs: nowMs });
    return this.#masterOf(head, broker);
  }

  /** Takes a broker in; null is Apache's refusal `register broker failed` (remoting.md §13.1). */
  register(registration: Registration, nowMs: number): Registered | null {
    return this.beginRegister(registration, nowMs, Infinity).registered;
  }

  /**
   * The same with at most `slice` topics at once. `rest` takes the next ones and tells whether there are more; it
   * stops when the broker has gone or registered anew.
   */
  beginRegister(registration: Registration, nowMs: number, slice: number): BegunRegistration {
    const { clusterName, brokerAddr, brokerName, brokerId, body } = registration;
    let known = this.#brokers.has(brokerName);
    const broker = this.#enter(registration);
    const smallest = minOf(broker.addrs);
    const minChanged = brokerId < (smallest ?? 0);
    for (const [id, addr] of broker.addrs) if (addr === brokerAddr && id !== brokerId) broker.addrs.delete(id);

    const oldAddr = broker.addrs.get(brokerId);
    if (oldAddr !== undefined && oldAddr !== brokerAddr) {
      const old = this.#live.get(liveKey(clusterName, oldAddr));
      if (old !== undefined && old.dataVersion.stateVersion > body.dataVersion.stateVersion) {
        this.#live.delete(liveKey(clusterName, brokerAddr));
        return { registered: { haServerAddr: null, masterAddr: null }, rest: nothingLeft };
      }
    }
    if (oldAddr === undefined && body.topics.length === 1) return { registered: null, rest: nothingLeft };
    broker.addrs.set(brokerId, brokerAddr);
    known &&= oldAddr !== undefined;
    const prime = isPrime(registration, broker);
    const takeSlice = prime ? this.#topicsOf(registration, broker, !known, slice) : nothingLeft;
    const more = takeSlice();
    broker.intact = true;
    this.#takeLive(registration, prime, nowMs);
    if (minChanged) this.#tellMinChanged(broker, null, registration.haServerAddr);
    const key = liveKey(clusterName, brokerAddr);
    const rest = (): boolean => this.#live.get(key)?.dataVersion === body.dataVersion && takeSlice();
    return { registered: this.#masterOf(registration, broker), rest: more ? rest : nothingLeft };
  }

  #enter(registration: Registration): Broker {
    const { clusterName, brokerName, enableActingMaster, zoneName } = registration;
    let names = this.#clusters.get(clusterName);
    if (names === undefined) this.#clusters.set(clusterName, names = new Set());
    if (!names.has(brokerName)) this.#version++;
    names.add(brokerName);
    let broker = this.#brokers.get(brokerName);
    if (broker === undefined) {
      const fresh = { enableActingMaster: false, zoneName: null, intact: false };
      broker = { brokerName, cluster: clusterName, addrs: new Map(), ...fresh };
      this.#brokers.set(brokerName, broker);
      this.#version++;
    }
    broker.enableActingMaster = enableActingMaster ?? false;
    broker.zoneName = zoneName;
    return broker;
  }

  /** What takes the registration's topics, a slice a call, and tells whether some are left. */
  #topicsOf(registration: Registration, broker: Broker, first: boolean, slice: number): () => boolean {
    const { clusterName, brokerAddr, brokerName, brokerId, body } = registration;
    if (this.settings.deleteTopicWithBrokerRegistration && body.mappings.length === 0) {
      this.#queues.dropExcept(brokerName, body.topics);
    }
    const changed = first || !sameVersion(this.dataVersion(clusterName, brokerAddr), body.dataVersion);
    if (changed) this.#takeMappings(body);
    const readOnly = brokerId !== MASTER_ID && broker.enableActingMaster;
    let next = 0;
    return () => {
      const end = Math.min(body.topics.length, next + slice);
      for (; next < end; next++) {
        const topic = body.topics[next]!;
        if (changed || !this.#queues.has(topic.topicName, brokerName)) this.#queues.set(brokerName, topic, readOnly);
      }
      return next < body.topics.length;
    };
  }

  #takeMappings(body: RegistrationBody): void {
    for (const [topic, mapping] of body.mappings) {
      let byBroker = this.#mappings.get(topic);
      if (byBroker === undefined) this.#mappings.set(topic, byBroker = new Map());
      byBroker.set(mapping.bname, mapping);
    }
  }

  #takeLive(registration: Registration, prime: boolean, nowMs: number): void {
    const { clusterName, brokerAddr, heartbeatTimeoutMs, haServerAddr, owner, fingerprint, body } = registration;
    const key = liveKey(clusterName, brokerAddr);
    const expiryMs = heartbeatTimeoutMs ?? DEFAULT_EXPIRY_MS;
    const { dataVersion, filterServers } = body;
    const known = { clusterName, brokerAddr, owner, haServerAddr, dataVersion, fingerprint, prime };
    this.#live.set(key, { ...known, lastHeardMs: nowMs, expiryMs });
    if (filterServers === null) return;
    if (filterServers.length === 0) this.#filterServers.delete(key);
    else this.#filterServers.set(key, filterServers);
  }

  #masterOf(registration: RegistrationHead, broker: Broker): Registered {
    const masterAddr = registration.brokerId === MASTER_ID ? undefined : broker.addrs.get(MASTER_ID);
    const master = masterAddr === undefined ? undefined : this.#live.get(liveKey(registration.clusterName, masterAddr));
    if (master === undefined) return { haServerAddr: null, masterAddr: null };
    return { haServerAddr: master.haServerAddr, masterAddr: master.brokerAddr };
  }

  /** Takes brokers out; a name without brokers goes with its topics. */
  unregister(unregistrations: readonly Unregistration[]): void {
    const removed = new Set<string>();
    const reduced = new Set<string>();
    for (const { clusterName, brokerAddr, brokerName, brokerId } of unregistrations) {
      const key = liveKey(clusterName, brokerAddr);
      this.#live.delete(key);
      this.#filterServers.delete(key);
      const broker = this.#brokers.get(brokerName);
      if (broker === undefined) continue;
      const wasSmallest = minOf(broker.addrs) === brokerId;
      for (const [id, addr] of broker.addrs) if (addr === brokerAddr) broker.addrs.delete(id);
      if (broker.addrs.size > 0) {
        reduced.add(brokerName);
        if (wasSmallest) this.#tellMinChanged(broker, brokerAddr, null);
        continue;
      }
      this.#brokers.delete(brokerName);
      removed.add(brokerName);
      this.#version++;
      const names = this.#clusters.get(clusterName);
      names?.delete(brokerName);
      if (names?.size === 0) this.#clusters.delete(clusterName);
    }
    if (removed.size + reduced.size > 0) this.#cleanTopics(removed, reduced);
  }

  #cleanTopics(removed: ReadonlySet<string>, reduced: ReadonlySet<string>): void {
    if (removed.size > 0) this.#queues.dropBrokers(removed);
    for (const name of reduced) if (this.#lostItsMaster(name)) this.wipeWritePerm(name);
    for (const [topic, byBroker] of removed.size > 0 ? this.#mappings : []) {
      for (const name of removed) byBroker.delete(name);
      if (byBroker.size === 0) this.#mappings.delete(topic);
    }
  }

  #lostItsMaster(brokerName: string): boolean {
    const broker = this.#brokers.get(brokerName);
    return broker !== undefined && broker.enableActingMaster && !broker.addrs.has(MASTER_ID);
  }

  #tellMinChanged(broker: Broker, offlineBrokerAddr: string | null, haBrokerAddr: string | null): void {
    const minBrokerId = minOf(broker.addrs);
    if (minBrokerId === undefined || (offlineBrokerAddr !== null && !broker.enableActingMaster)) return;
    const everybody = offlineBrokerAddr !== null || broker.addrs.size === 1;
    const tell = [...broker.addrs].filter(([id]) => everybody || id !== minBrokerId).map(([, addr]) => addr);
    const minBrokerAddr = broker.addrs.get(minBrokerId)!;
    this.#changed({ tell, minBrokerId, minBrokerAddr, offlineBrokerAddr, haBrokerAddr });
  }

  /** A sign of life (322, 904). Unknown brokers are ignored. */
  heard(clusterName: string, brokerAddr: string, nowMs: number): void {
    const live = this.#live.get(liveKey(clusterName, brokerAddr));
    if (live !== undefined) live.lastHeardMs = nowMs;
  }

  /** The version of a broker's topic table as last registered, or null. */
  dataVersion(clusterName: string, brokerAddr: string): DataVersion | null {
    return this.#live.get(liveKey(clusterName, brokerAddr))?.dataVersion ?? null;
  }

  /** Takes out the brokers that were silent for longer than their expiry; returns the owners of their registrations. */
  expire(nowMs: number): object[] {
    const silent = [...this.#live.values()].filter((live) => live.lastHeardMs + live.expiryMs < nowMs);
    this.#unregisterLive(silent);
    return silent.map((live) => live.owner);
  }

  /** Takes out the brokers that registered by this owner. */
  ownerGone(owner: object): void {
    this.#unregisterLive([...this.#live.values()].filter((live) => live.owner === owner));
  }

  #unregisterLive(gone: readonly LiveBroker[]): void {
    if (gone.length === 0) return;
    const unregistrations: Unregistration[] = [];
    for (const { clusterName, brokerAddr } of gone) {
      this.#live.delete(liveKey(clusterName, brokerAddr));
      for (const broker of this.#brokers.values()) {
        if (broker.cluster !== clusterName) continue;
        for (const [brokerId, addr] of broker.addrs) {
          if (addr === brokerAddr) {
            unregistrations.push({ clusterName, brokerAddr, brokerName: broker.brokerName, brokerId });
          }
        }
      }
    }
    this.unregister(unregistrations);
  }

  /** Whether a broker registered by this owner. */
  owns(owner: object): boolean {
    for (const live of this.#live.values()) if (live.owner === owner) return true;
    return false;
  }

  /** The owner of the registration of an address, or null. */
  ownerOf(clusterName: string, brokerAddr: string): object | null {
    return this.#live.get(liveKey(clusterName, brokerAddr))?.owner ?? null;
  }

  /** Where a topic is, with a slave in its master's place when that is supported; null when nowhere (17). */
  route(topic: string): TopicRoute | null {
    const byBroker = this.#queues.get(topic);
    if (byBroker === undefined) return null;
    const queueDatas = [...byBroker.values()];
    const brokerDatas: BrokerData[] = [];
    const filterServers = new Map<string, readonly string[]>();
    for (const queues of queueDatas) {
      const broker = this.#brokers.get(queues.brokerName);
      if (broker === undefined) continue;
      brokerDatas.push(this.#view(broker, topic, queues));
      for (const addr of this.#filterServers.size > 0 ? broker.addrs.values() : []) {
        const servers = this.#filterServers.get(liveKey(broker.cluster, addr));
        if (servers !== undefined) filterServers.set(addr, servers);
      }
    }
    if (brokerDatas.length === 0) return null;
    return { topic, brokerDatas, queueDatas, filterServers, mappings: this.#mappings.get(topic) ?? null };
  }

  #view(broker: Broker, topic: string, queues: QueueData): BrokerData {
    const smallest = minOf(broker.addrs);
    const acting = this.settings.supportActingMaster && broker.enableActingMaster && smallest !== undefined &&
      smallest !== MASTER_ID && (queues.perm & PERM_WRITE) === 0 && !topic.startsWith(SYNC_MEMBER_PREFIX);
    if (!acting) return brokerData(broker);
    const addrs = new Map(broker.addrs);
    addrs.set(MASTER_ID, addrs.get(smallest)!);
    addrs.delete(smallest);
    return brokerData({ ...broker, addrs });
  }

  /** 205: takes the write bit of all topics of a broker name; returns how many there are. */
  wipeWritePerm(brokerName: string): number {
    return this.#queues.setPerms(brokerName, (perm) => perm & ~PERM_WRITE);
  }

  /** 327: sets all topics of a broker name to readable and writable; returns how many there are. */
  addWritePerm(brokerName: string): number {
    return this.#queues.setPerms(brokerName, () => PERM_READ_WRITE);
  }

  /** 217: sets queues of a topic for brokers that are known; stops at the first unknown one, as Apache does. */
  registerTopic(topic: string, queueDatas: readonly QueueData[]): void {
    const known = this.#queues.get(topic);
    if (known === undefined && !queueDatas.every((queues) => this.#brokers.has(queues.brokerName))) return;
    for (const { brokerName, ...queues } of queueDatas) {
      if (!this.#brokers.has(brokerName)) return;
      this.#queues.set(brokerName, { topicName: topic, ...queues }, false);
    }
  }

  /** 216: forgets a topic, everywhere or in one cluster. */
  deleteTopic(topic: string, clusterName: string | null): void {
    const names = clusterName === null ? this.#queues.get(topic)?.keys() : this.#clusters.get(clusterName);
    for (const name of [...names ?? []]) {
      this.#queues.drop(topic, name);
      const broker = this.#brokers.get(name);
      if (broker !== undefined) broker.intact = false;
    }
  }

  /** Names of all topics. */
  topics(): string[] {
    return this.#queues.names();
  }

  /** Whether a topic has queues in a cluster. */
  inCluster(topic: string, clusterName: string): boolean {
    const byBroker = this.#queues.get(topic);
    const names = this.#clusters.get(clusterName);
    if (byBroker === undefined || names === undefined) return false;
    for (const name of byBroker.keys()) if (names.has(name)) return true;
    return false;
  }

  /** topicSysFlag of a topic's first queues; 0 when there are none. Bit 0 unit, bit 1 unit sub. */
  sysFlag(topic: string): number {
    for (const queues of this.#queues.get(topic)?.values() ?? []) return queues.topicSysFlag;
    return 0;
  }

  /** Broker names by cluster. */
  clusters(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#clusters;
  }

  /** All brokers as they registered, acting masters under their own ids. */
  brokers(): BrokerData[] {
    return [...this.#brokers.values()].map(brokerData);
  }

  /** Addresses of one broker name by id; empty when unknown. */
  members(brokerName: string): ReadonlyMap<number, string> {
    const broker = this.#brokers.get(brokerName);
    return broker === undefined ? new Map() : brokerData(broker).brokerAddrs;
  }
}
