/** The name server's keys, named as in Apache's NamesrvConfig and NettyServerConfig. */
export interface NamesrvSettings {
  /** 0 picks a free port. @default 9876 */
  readonly listenPort: number;
  /** IP address to listen on. @default "0.0.0.0" */
  readonly bindAddress: string;
  /** `ROCKETMQ_HOME`; only shown. */
  readonly rocketmqHome: string;
  /** File of the key-value config. Undefined: `<home>/namesrv/kvConfig.json`; null: kept in memory only. */
  readonly kvConfigPath?: string | null;
  /** File that changed settings are written to; null: kept in memory only. */
  readonly configStorePath?: string | null;
  /** Keys, separated by `;`, that 318 may not change. */
  readonly configBlackList: string;
  /** Only shown. */
  readonly productEnvName: string;
  /** Only shown. */
  readonly clusterTest: boolean;
  /** Routes carry the order config of their topic. */
  readonly orderMessageEnable: boolean;
  /** Answers to registrations carry all order configs. */
  readonly returnOrderTopicConfigToBroker: boolean;
  /** A slave is shown in its lost master's place. */
  readonly supportActingMaster: boolean;
  /** 206 is answered. */
  readonly enableAllTopicList: boolean;
  /** 224 and 311 to 313 are answered. */
  readonly enableTopicList: boolean;
  /** Brokers are told (905) when the smallest id of their name changed. */
  readonly notifyMinBrokerIdChanged: boolean;
  /** Only shown: there is no controller here. */
  readonly enableControllerInNamesrv: boolean;
  /** No routes until `waitSecondsForService` have passed since the start. */
  readonly needWaitForService: boolean;
  /** Seconds. */
  readonly waitSecondsForService: number;
  /** Topics that a registration leaves out are forgotten. */
  readonly deleteTopicWithBrokerRegistration: boolean;
  /** Milliseconds between looks for brokers that went silent. */
  readonly scanNotActiveBrokerInterval: number;
  /** Read and shown; here unregistrations are not queued. */
  readonly unRegisterBrokerQueueCapacity: number;
  /** Apache's; only shown. */
  readonly clientRequestThreadPoolNums: number;
  /** Apache's; only shown. */
  readonly clientRequestThreadPoolQueueCapacity: number;
  /** Apache's; only shown. */
  readonly defaultThreadPoolNums: number;
  /** Apache's; only shown. */
  readonly defaultThreadPoolQueueCapacity: number;
  /** Apache's; only shown. */
  readonly enableShutdownGracefully: boolean;
  /** Apache's; only shown. */
  readonly serverAsyncSemaphoreValue: number;
  /** Apache's; only shown. */
  readonly serverCallbackExecutorThreads: number;
  /** A connection without traffic for so long is closed. */
  readonly serverChannelMaxIdleTimeSeconds: number;
  /** Apache's; only shown. */
  readonly serverNettyWorkerGroupEnable: boolean;
  /** Apache's; only shown. */
  readonly serverOnewaySemaphoreValue: number;
  /** Apache's; only shown. */
  readonly serverPooledByteBufAllocatorEnable: boolean;
  /** Apache's; only shown. */
  readonly serverSelectorThreads: number;
  /** Apache's; only shown. */
  readonly serverSocketBacklog: number;
  /** Apache's; only shown. */
  readonly serverSocketRcvBufSize: number;
  /** Apache's; only shown. */
  readonly serverSocketSndBufSize: number;
  /** Apache's; only shown. */
  readonly serverWorkerThreads: number;
  /** Apache's; only shown. */
  readonly shutdownWaitTimeSeconds: number;
  /** Apache's; only shown. */
  readonly useEpollNativeSelector: boolean;
  /** Apache's; only shown. */
  readonly writeBufferHighWaterMark: number;
  /** Apache's; only shown. */
  readonly writeBufferLowWaterMark: number;
}

/** Apache's defaults (golden/properties.txt, body of 319). */
export const namesrvDefaults: NamesrvSettings = {
  bindAddress: "0.0.0.0",
  clientRequestThreadPoolNums: 8,
  clientRequestThreadPoolQueueCapacity: 50_000,
  clusterTest: false,
  configBlackList: "configBlackList;configStorePath;kvConfigPath",
  defaultThreadPoolNums: 16,
  defaultThreadPoolQueueCapacity: 10_000,
  deleteTopicWithBrokerRegistration: false,
  enableAllTopicList: true,
  enableControllerInNamesrv: false,
  enableShutdownGracefully: false,
  enableTopicList: true,
  listenPort: 9876,
  needWaitForService: false,
  notifyMinBrokerIdChanged: false,
  orderMessageEnable: false,
  productEnvName: "center",
  returnOrderTopicConfigToBroker: true,
  rocketmqHome: "",
  scanNotActiveBrokerInterval: 5000,
  serverAsyncSemaphoreValue: 64,
  serverCallbackExecutorThreads: 0,
  serverChannelMaxIdleTimeSeconds: 120,
  serverNettyWorkerGroupEnable: true,
  serverOnewaySemaphoreValue: 256,
  serverPooledByteBufAllocatorEnable: true,
  serverSelectorThreads: 3,
  serverSocketBacklog: 1024,
  serverSocketRcvBufSize: 0,
  serverSocketSndBufSize: 0,
  serverWorkerThreads: 8,
  shutdownWaitTimeSeconds: 30,
  supportActingMaster: false,
  unRegisterBrokerQueueCapacity: 3000,
  useEpollNativeSelector: false,
  waitSecondsForService: 45,
  writeBufferHighWaterMark: 0,
  writeBufferLowWaterMark: 0,
};

/** What only a restart can change, besides what the black list names. */
const FIXED = new Set(["configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome"]);

/** Java's properties text, sorted: the body of 319. */
export function settingsText(settings: NamesrvSettings): string {
  const lines = Object.entries(settings)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => `${key}=${value}\n`);
  return lines.sort().join("");
}

/** `key=value` lines; blank ones and comments are skipped. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith("!")) continue;
    const split = line.search(/[=:]/);
    if (split < 0) properties.set(line, "");
    else properties.set(line.slice(0, split).trim(), line.slice(split + 1).trim());
  }
  return properties;
}

/** Whether a change names a key that may not be changed at run time. */
export function namesFixedKey(settings: NamesrvSettings, properties: ReadonlyMap<string, string>): boolean {
  const blackList = settings.configBlackList.split(";");
  return [...properties.keys()].some((key) => FIXED.has(key) || blackList.includes(key));
}

/** The settings with the known keys of `properties` put in; values that don't fit their key's type are left out. */
export function withProperties(settings: NamesrvSettings, properties: ReadonlyMap<string, string>): NamesrvSettings {
  const changed: Record<string, unknown> = { ...settings };
  for (const [key, text] of properties) {
    const value = typed(changed[key], text);
    if (value !== undefined) changed[key] = value;
  }
  return changed as unknown as NamesrvSettings;
}

function typed(present: unknown, text: string): string | number | boolean | undefined {
  switch (typeof present) {
    case "string":
      return text;
    case "boolean":
      return text.toLowerCase() === "true";
    case "number":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    default:
      return undefined;
  }
}
