import type { Logger, Platform } from "@rmq/platform";
import { ResponseCode } from "@rmq/protocol";
import {
  createClient,
  type RemotingConnection,
  type RemotingServer,
  type ServerLimits,
  startServer,
  type TlsSettings,
} from "@rmq/remoting";
import { ConfigFile, openStore, type Store, type StoreOptions } from "@rmq/store";
import { ClientAsks } from "./clients/ask.ts";
import { ClientTable } from "./clients/client_table.ts";
import { QueueLocks } from "./clients/queue_locks.ts";
import { HeldSends } from "./delivery/held_sends.ts";
import { hostBytes } from "./delivery/host_bytes.ts";
import { Pull } from "./delivery/pull.ts";
import { StorePut } from "./delivery/put.ts";
import { Rewriters } from "./delivery/rewriters.ts";
import { Send } from "./delivery/send.ts";
import { uniqueKeys } from "./delivery/unique_keys.ts";
import { DelayLevels } from "./delay/delay_levels.ts";
import { timerHandlers } from "./timers/timer_handlers.ts";
import { Timers } from "./timers/timers.ts";
import { parseDelayTimes } from "./delay/delay_times.ts";
import { FilterTable } from "./filters/filter_table.ts";
import { GroupTable } from "./groups/group_table.ts";
import { handlersOf } from "./handlers.ts";
import { OffsetTable } from "./offsets/offset_table.ts";
import { Registration } from "./registration.ts";
import { settleConfig } from "./settled_config.ts";
import type { BrokerSettings } from "./settings.ts";
import type { BrokerState } from "./state.ts";
import { TopicTable } from "./topics/topic_table.ts";
import { halfRewriter } from "./transactions/half_message.ts";
import { TransactionCounts } from "./transactions/transaction_counts.ts";
import { Transactions } from "./transactions/transactions.ts";

/** What a broker is started with. */
export interface BrokerOptions {
  /** What the broker itself reads. */
  readonly broker: BrokerSettings;
  /** Host, port, delay levels and the question which topics exist are filled in from the broker. */
  readonly store: StoreOptions;
  /** Bounds of its connections; the remoting layer's defaults when absent. */
  readonly limits?: ServerLimits;
  /** TLS of its ports; permissive, with a self-signed certificate, when absent. */
  readonly tls?: TlsSettings;
}

/** A running broker. */
export interface Broker {
  /** `ip:port` that clients are told. */
  readonly address: string;
  /** Port that it listens on. */
  readonly port: number;
  /**
   * The parts, for tests and for what is composed around a broker.
   * @ignore
   */
  readonly state: BrokerState;
  /** Unregisters, answers what waits, flushes and leaves a clean store. */
  stop(): Promise<void>;
}

/** How long connections get at the end to take their last answers, ms. */
const GRACE_MS = 100;

/**
 * Opens the store, listens and registers. Rejects with StoreError (directory in use, broken, not writable) or
 * PlatformError (`EADDRINUSE` …); nothing is left open then.
 */
export async function startBroker(platform: Platform, options: BrokerOptions, logger: Logger): Promise<Broker> {
  const parts = await openParts(platform, options, logger);
  try {
    return await listen(parts, options);
  } catch (error) {
    await parts.state.server?.close();
    await closeParts(parts);
    throw error;
  }
}

/** A broker that does not listen yet. */
interface Parts {
  readonly state: BrokerState;
  readonly held: HeldSends;
  readonly send: Send;
  readonly pull: Pull;
  readonly delay: DelayLevels;
  readonly transactions: Transactions;
  readonly timers: Timers;
}

async function openParts(platform: Platform, options: BrokerOptions, logger: Logger): Promise<Parts> {
  const settings = options.broker;
  const { clock } = platform;
  const file = (name: string) => configFile(platform, settings, name);
  const topics = new TopicTable({ clock, logger, settings, file: file("topics.json") });
  const groups = new GroupTable({ clock, logger, settings, file: file("subscriptionGroup.json") });
  const offsets = new OffsetTable({ clock, logger, settings, file: file("consumerOffset.json") });
  const filters = new FilterTable({ clock, logger, settings, file: file("consumerFilter.json") });
  topics.load();
  groups.load();
  filters.load();
  await settleConfig(platform.files, settings.storePathRootDir);

  const storeHost = hostBytes(await literalAddress(platform, settings.brokerIP1));
  const storePort = settings.advertisedPort || settings.listenPort;
  const store: Store = await openStore(platform, {
    ...options.store,
    delayTimesMs: parseDelayTimes(settings.messageDelayLevel),
    storeHost,
    storePort,
    topicExists: (topic) => topics.get(topic) !== null,
    lowestConsumed: (topic, queueId) => lowestOffset(offsets, topic, queueId),
  }, logger);
  const client = createClient(platform, {}, logger);
  try {
    return composed(platform, options, logger, {
      store,
      client,
      topics,
      groups,
      offsets,
      filters,
      storeHost,
      storePort,
    });
  } catch (error) {
    client.close();
    await store.close();
    throw error;
  }
}

/** What is opened and loaded first. */
type Opened = Pick<
  BrokerState,
  "store" | "client" | "topics" | "groups" | "offsets" | "filters" | "storeHost" | "storePort"
>;

function composed(platform: Platform, options: BrokerOptions, logger: Logger, opened: Opened): Parts {
  const settings = options.broker;
  const { clock } = platform;
  const { store, client, topics, groups, offsets, filters, storeHost, storePort } = opened;
  topics.attach(store);
  offsets.load(store);

  const address = `${bracketed(settings.brokerIP1)}:${storePort}`;
  const registration = new Registration({ platform, logger, settings, topics, client }, address);
  topics.onChange((changed) => registration.changed(changed));
  const clients = new ClientTable({ clock, logger, settings });
  clients.onGroupGone((group) => filters.unregister(group));
  const file = configFile(platform, settings, "delayOffset.json");
  const delay = new DelayLevels({ platform, logger, settings, store, topics, file });
  const transactionCounts = new TransactionCounts({
    clock,
    logger,
    settings,
    file: configFile(platform, settings, "transactionMetrics"),
  });
  const metrics = configFile(platform, settings, "timermetrics");
  const timers = new Timers({ platform, logger, settings, store, topics, metrics });
  const rewriters = new Rewriters([halfRewriter(topics), timers.rewriter, delay.rewriter]);
  const put = new StorePut(store, rewriters);
  const state: BrokerState = {
    platform,
    logger,
    settings,
    store,
    topics,
    groups,
    offsets,
    filters,
    clients,
    asks: new ClientAsks(settings.maxClientAsks),
    locks: new QueueLocks(clock),
    put,
    transactionCounts,
    registration,
    storeHost,
    storePort,
    uniqueIds: uniqueKeys(platform, storeHost),
    server: null,
    client,
  };
  const held = new HeldSends(store, clock, settings.syncFlushTimeout);
  const send = new Send(state, held, rewriters);
  return { state, held, send, pull: new Pull(state), delay, timers, transactions: new Transactions(state) };
}

async function listen(parts: Parts, options: BrokerOptions): Promise<Broker> {
  const { state, send, pull, delay, timers, transactions } = parts;
  const { platform, settings, logger, store } = state;
  const server: RemotingServer = await startServer(platform, {
    ...options.limits,
    host: settings.bindAddress,
    port: settings.listenPort,
    fastPort: settings.listenPort > 2 ? settings.listenPort - 2 : null,
    handlers: handlersOf(state, [
      ...send.handlers(),
      ...pull.handlers(),
      ...delay.handlers(),
      ...transactions.handlers(),
      ...timerHandlers(state, timers),
    ]),
    idleMs: settings.serverChannelMaxIdleTimeSeconds * 1000,
    parkedBytes: settings.parkedBytes,
    parkedBytesPerConnection: settings.parkedBytesPerConnection,
    waitTimeMillsInSendQueue: settings.waitTimeMillsInSendQueue,
    tls: options.tls,
    disconnected: (connection: RemotingConnection) => {
      pull.drop(connection);
      state.clients.drop(connection);
    },
  }, logger);
  state.server = server;
  store.onAdvance(() => {
    if (server.parkedBytes > 0) server.release();
  });
  state.clients.start();
  delay.start(state.put);
  transactions.start();
  timers.start(state.put);
  await state.registration.start();
  let stopped: Promise<void> | null = null;
  return {
    address: state.registration.address,
    port: server.port,
    state,
    stop: () => stopped ??= stop(parts, server),
  };
}

async function stop(parts: Parts, server: RemotingServer): Promise<void> {
  const { state, pull } = parts;
  await state.registration.unregister();
  server.stopAccepting();
  pull.stop();
  // Appended sends are answered once they are on disk; a disk that can't take them is told to their senders by the hold.
  await state.store.flush().catch(() => {});
  server.release();
  await state.store.flush().catch(() => {});
  server.refuseParked({ code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: "the broker stops" });
  await server.close(GRACE_MS);
  await closeParts(parts);
}

async function closeParts({ state, held, delay, timers, transactions }: Parts): Promise<void> {
  state.clients.close();
  state.client.close();
  await new Promise<void>((resolve) => transactions.close(resolve));
  await Promise.all(
    [delay, timers, state.topics, state.groups, state.offsets, state.filters].map((part) =>
      new Promise<void>((resolve) => part.close(resolve))
    ),
  );
  held.close();
  await state.store.close();
}

function configFile(platform: Platform, settings: BrokerSettings, name: string): ConfigFile {
  return new ConfigFile(platform, `${settings.storePathRootDir}/config/${name}`);
}

/** The name clients are told, as an IP: message ids hold addresses, so a name is resolved once. */
async function literalAddress(platform: Platform, host: string): Promise<string> {
  if (/^[\d.]+$/.test(host) || host.includes(":")) return host;
  return (await platform.net.resolve(host))[0];
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Lowest committed offset of the groups that read `topic`; null: none committed. */
function lowestOffset(offsets: OffsetTable, topic: string, queueId: number): number | null {
  let lowest: number | null = null;
  for (const group of offsets.groupsOf(topic)) {
    const offset = offsets.query(group, topic, queueId);
    if (offset >= 0 && (lowest === null || offset < lowest)) lowest = offset;
  }
  return lowest;
}
