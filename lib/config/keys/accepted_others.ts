import type { AcceptedKeys } from "../key.ts";

/** Keys of Apache's `NettyServerConfig` that change nothing here, with Apache's defaults. */
export const acceptedServer: AcceptedKeys = {
  enableShutdownGracefully: "false",
  serverAsyncSemaphoreValue: "64",
  serverCallbackExecutorThreads: "0",
  serverNettyWorkerGroupEnable: "true",
  serverOnewaySemaphoreValue: "256",
  serverPooledByteBufAllocatorEnable: "true",
  serverSelectorThreads: "3",
  serverSocketBacklog: "1024",
  serverSocketRcvBufSize: "0",
  serverSocketSndBufSize: "0",
  serverWorkerThreads: "8",
  shutdownWaitTimeSeconds: "30",
  useEpollNativeSelector: "false",
  writeBufferHighWaterMark: "0",
  writeBufferLowWaterMark: "0",
};

/** Keys of Apache's `NettyClientConfig` that change nothing here, with Apache's defaults. */
export const acceptedClient: AcceptedKeys = {
  channelNotActiveInterval: "60000",
  clientAsyncSemaphoreValue: "65535",
  clientCallbackExecutorThreads: "2",
  clientChannelMaxIdleTimeSeconds: "120",
  clientCloseSocketIfTimeout: "true",
  clientOnewaySemaphoreValue: "65535",
  clientPooledByteBufAllocatorEnable: "false",
  clientSocketRcvBufSize: "0",
  clientSocketSndBufSize: "0",
  clientWorkerThreads: "4",
  connectTimeoutMillis: "3000",
  disableCallbackExecutor: "false",
  disableNettyWorkerGroup: "false",
  enableReconnectForGoAway: "true",
  isScanAvailableNameSrv: "true",
  maxReconnectIntervalTimeSeconds: "60",
  socksProxyConfig: "{}",
  useTLS: "false",
};

/** Keys of Apache's `AuthConfig` that change nothing here, with Apache's defaults. */
export const acceptedAuth: AcceptedKeys = {
  aclCacheExpiredSecond: "600",
  aclCacheMaxNum: "1000",
  aclCacheRefreshSecond: "60",
  authConfigPath: null,
  authenticationEnabled: "false",
  authenticationMetadataProvider: null,
  authenticationProvider: null,
  authenticationStrategy: null,
  authenticationWhitelist: null,
  authorizationEnabled: "false",
  authorizationMetadataProvider: null,
  authorizationProvider: null,
  authorizationStrategy: null,
  authorizationWhitelist: null,
  clusterName: null,
  configName: null,
  initAuthenticationUser: null,
  innerClientAuthenticationCredentials: null,
  migrateAuthFromV1Enabled: "false",
  statefulAuthenticationCacheExpiredSecond: "60",
  statefulAuthenticationCacheMaxNum: "10000",
  statefulAuthorizationCacheExpiredSecond: "60",
  statefulAuthorizationCacheMaxNum: "10000",
  userCacheExpiredSecond: "600",
  userCacheMaxNum: "1000",
  userCacheRefreshSecond: "60",
};

/** Keys of Apache's `NamesrvConfig` that change nothing here, with Apache's defaults. */
export const acceptedNamesrv: AcceptedKeys = {
  clientRequestThreadPoolNums: "8",
  clientRequestThreadPoolQueueCapacity: "50000",
  clusterTest: "false",
  configBlackList: "configBlackList;configStorePath;kvConfigPath",
  defaultThreadPoolNums: "16",
  defaultThreadPoolQueueCapacity: "10000",
  enableControllerInNamesrv: "false",
  productEnvName: "center",
  rocketmqHome: "${env:ROCKETMQ_HOME}",
  unRegisterBrokerQueueCapacity: "3000",
};

/**
 * Keys of Apache's `ControllerConfig` that change nothing here, with Apache's defaults. Those that a name server has
 * too (`configStorePath`, `configBlackList` …) stand there.
 */
export const acceptedController: AcceptedKeys = {
  controllerDLegerGroup: null,
  controllerDLegerPeers: null,
  controllerDLegerSelfId: null,
  controllerRequestThreadPoolQueueCapacity: "50000",
  controllerStorePath: "",
  controllerThreadPoolNums: "16",
  controllerType: "DLedger",
  electMasterMaxRetryCount: "3",
  enableElectUncleanMaster: "false",
  isProcessReadEvent: "false",
  jRaftControllerRPCAddr: "localhost:9770,localhost:9771,localhost:9772",
  jRaftGroupId: "jRaft-Controller",
  jRaftInitConf: "localhost:9880,localhost:9881,localhost:9882",
  jRaftServerId: "localhost:9880",
  mappedFileSize: "1073741824",
  metricGrpcExporterIntervalInMills: "60000",
  metricGrpcExporterTimeOutInMills: "3000",
  metricLoggingExporterIntervalInMills: "10000",
  metricsExporterType: "DISABLE",
  metricsGrpcExporterHeader: "",
  metricsGrpcExporterTarget: "",
  metricsInDelta: "false",
  metricsLabel: "",
  metricsPromExporterHost: "",
  metricsPromExporterPort: "5557",
  notifyBrokerRoleChanged: "true",
  scanInactiveMasterInterval: "5000",
};
