import type { Logger, Platform } from "@rmq/platform";
import { RequestCode } from "@rmq/protocol";
import {
  createClient,
  type Handler,
  type RemotingClient,
  type RemotingConnection,
  type RemotingServer,
  type ServerLimits,
  startServer,
  type TlsSettings,
} from "@rmq/remoting";
import * as brokers from "./broker_requests.ts";
import { type Context, nowMs, type Serve } from "./context.ts";
import { DurableFile } from "./durable_file.ts";
import { KvConfig } from "./kv_config.ts";
import * as config from "./kv_requests.ts";
import { RouteTable } from "./route_table.ts";
import type { MinBrokerIdChange } from "./route_types.ts";
import { SameHost } from "./same_host.ts";
import { namesrvDefaults, type NamesrvSettings } from "./settings.ts";
import { TopicLists } from "./topic_lists.ts";
import * as topics from "./topic_requests.ts";

/** Requests of a name server (remoting.md §8.2). */
const serves: readonly (readonly [number, Serve])[] = [
  [RequestCode.PUT_KV_CONFIG, config.putKvConfig],
  [RequestCode.GET_KV_CONFIG, config.getKvConfig],
  [RequestCode.DELETE_KV_CONFIG, config.deleteKvConfig],
  [RequestCode.GET_KVLIST_BY_NAMESPACE, config.getKvListByNamespace],
  [RequestCode.UPDATE_NAMESRV_CONFIG, config.updateNamesrvConfig],
  [RequestCode.GET_NAMESRV_CONFIG, config.getNamesrvConfig],
  [RequestCode.REGISTER_BROKER, brokers.registerBroker],
  [RequestCode.UNREGISTER_BROKER, brokers.unregisterBroker],
  [RequestCode.BROKER_HEARTBEAT, brokers.brokerHeartbeat],
  [RequestCode.QUERY_DATA_VERSION, brokers.queryDataVersion],
  [RequestCode.WIPE_WRITE_PERM_OF_BROKER, brokers.wipeWritePermOfBroker],
  [RequestCode.ADD_WRITE_PERM_OF_BROKER, brokers.addWritePermOfBroker],
  [RequestCode.GET_ROUTEINFO_BY_TOPIC, topics.getRouteInfoByTopic],
  [RequestCode.GET_BROKER_CLUSTER_INFO, topics.getBrokerClusterInfo],
  [RequestCode.GET_BROKER_MEMBER_GROUP, topics.getBrokerMemberGroup],
  [RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER, topics.getAllTopicListFromNameserver],
  [RequestCode.GET_TOPICS_BY_CLUSTER, topics.getTopicsByCluster],
  [RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS, topics.getSystemTopicListFromNs],
  [RequestCode.GET_UNIT_TOPIC_LIST, topics.getUnitTopicList],
  [RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST, topics.getHasUnitSubTopicList],
  [RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST, topics.getHasUnitSubUnunitTopicList],
  [RequestCode.DELETE_TOPIC_IN_NAMESRV, topics.deleteTopicInNamesrv],
  [RequestCode.REGISTER_TOPIC_IN_NAMESRV, topics.registerTopicInNamesrv],
];

/** A running name server. */
export interface Namesrv {
  /** The bound port. */
  readonly port: number;
  /** What is known. */
  readonly table: RouteTable;
  /** What is listening. */
  readonly server: RemotingServer;
  /** In force now; 318 changes them. */
  readonly settings: NamesrvSettings;
  /** Stops accepting, sends what is left, closes all connections within `graceMs` (default 0). */
  close(graceMs?: number): Promise<void>;
}

/** TLS and bounds of its connections. */
export interface NamesrvServer {
  /** Permissive, with a self-signed certificate, when absent. */
  readonly tls?: TlsSettings;
  /** Defaults of the remoting layer where absent. */
  readonly limits?: ServerLimits;
}

/**
 * Starts a name server. What `settings` leaves out has Apache's default. Rejects with PlatformError when the port
 * cannot be bound or the key-value file cannot be read. (NamesrvController)
 */
export async function startNamesrv(
  platform: Platform,
  settings: Partial<NamesrvSettings>,
  logger: Logger,
  server: NamesrvServer = {},
): Promise<Namesrv> {
  const client = createClient(platform, {}, logger);
  const context = contextOf(platform, settings, (change) => tellMinBrokerId(context, client, change, logger));
  const { listenPort: port, bindAddress: host, serverChannelMaxIdleTimeSeconds } = context.settings;
  const handlers = new Map<number, Handler>();
  for (const [code, serve] of serves) {
    handlers.set(code, (header, connection) => serve(context, header, connection));
  }
  const remoting = await startServer(platform, {
    ...server.limits,
    host,
    port,
    handlers,
    idleMs: serverChannelMaxIdleTimeSeconds * 1000,
    ...(server.tls === undefined ? {} : { tls: server.tls }),
    disconnected: (connection) => context.table.ownerGone(connection),
  }, logger);
  const scan = platform.clock.every(
    context.settings.scanNotActiveBrokerInterval,
    () => expireBrokers(context, logger),
  );
  return {
    port: remoting.port,
    table: context.table,
    server: remoting,
    get settings() {
      return context.settings;
    },
    close: async (graceMs) => {
      scan.cancel();
      client.close();
      await remoting.close(graceMs);
    },
  };
}

function contextOf(
  platform: Platform,
  given: Partial<NamesrvSettings>,
  minBrokerIdChanged: (change: MinBrokerIdChange) => void,
): Context {
  const home = platform.process.homeDirectory;
  const settings: NamesrvSettings = { ...namesrvDefaults, kvConfigPath: `${home}/namesrv/kvConfig.json`, ...given };
  const table = new RouteTable(settings, minBrokerIdChanged);
  const { kvConfigPath, configStorePath } = settings;
  return {
    platform,
    settings,
    settingsFile: configStorePath ? new DurableFile(platform, configStorePath) : null,
    table,
    kv: new KvConfig(platform, kvConfigPath ?? null),
    lists: new TopicLists(table, platform.clock),
    sameHost: new SameHost(platform, table),
    startedMs: platform.clock.monotonicUs() / 1000,
  };
}

function expireBrokers(context: Context, logger: Logger): void {
  for (const owner of context.table.expire(nowMs(context))) {
    const connection = owner as RemotingConnection;
    logger.warn("a broker went silent", { peer: connection.peerText });
    connection.close();
  }
}

/** 905, one-way, to the brokers' own ports. */
function tellMinBrokerId(context: Context, client: RemotingClient, change: MinBrokerIdChange, logger: Logger): void {
  if (!context.settings.notifyMinBrokerIdChanged) return;
  const { tell, ...fields } = change;
  for (const address of tell) {
    const request = { code: RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE, fields };
    client.oneway(address, request).catch((error: unknown) => {
      logger.warn("a broker could not be told of the smallest broker id", { address, error: String(error) });
    });
  }
}
