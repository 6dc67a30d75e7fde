/** What the broker itself reads of the configuration: Apache's key names, parsed (admin sheet §4). Times in ms unless said. */
export interface BrokerSettings {
  brokerName: string;
  brokerClusterName: string;
  /** 0: master. */
  brokerId: number;
  brokerRole: "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
  /** Several addresses, separated by `;`. Empty: registers nowhere. */
  namesrvAddr: string;
  /** Address told to clients, an IP or a name without port. */
  brokerIP1: string;
  /** Address told to slaves. */
  brokerIP2: string;
  /** Port told to clients when it is not `listenPort` (`--advertise HOST:PORT`); 0: `listenPort`. */
  advertisedPort: number;
  bindAddress: string;
  listenPort: number;
  haListenPort: number;
  brokerPermission: number;
  defaultTopicQueueNums: number;
  autoCreateTopicEnable: boolean;
  autoCreateSubscriptionGroup: boolean;
  enableCreateSysGroup: boolean;
  clusterTopicEnable: boolean;
  brokerTopicEnable: boolean;
  traceTopicEnable: boolean;
  msgTraceTopicName: string;
  traceOn: boolean;
  regionId: string;
  rejectTransactionMessage: boolean;
  startAcceptSendRequestTimeStamp: number;
  maxMessageSize: number;
  messageDelayLevel: string;
  flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  syncFlushTimeout: number;
  /** How long a send may wait before it is appended; older ones get code 2. */
  waitTimeMillsInSendQueue: number;
  longPollingEnable: boolean;
  shortPollingTimeMills: number;
  litePullMessageEnable: boolean;
  enablePropertyFilter: boolean;
  slaveReadEnable: boolean;
  notifyConsumerIdsChangedEnable: boolean;
  channelExpiredTimeout: number;
  flushConsumerOffsetInterval: number;
  flushDelayOffsetInterval: number;
  registerNameServerPeriod: number;
  registerBrokerTimeoutMills: number;
  forceRegister: boolean;
  defaultQueryMaxNum: number;
  maxMsgsNumBatch: number;
  maxTransferCountOnMessageInMemory: number;
  maxTransferBytesOnMessageInMemory: number;
  reviveQueueNum: number;
  timerWheelEnable: boolean;
  serverChannelMaxIdleTimeSeconds: number;
  storePathRootDir: string;
  /** Bytes of sends that may wait per connection, and in all. */
  parkedBytesPerConnection: number;
  parkedBytes: number;
  /** Pulls that may be parked in all. */
  maxParkedPulls: number;
  /** Topics, groups and clients that may exist; beyond it creation is refused. */
  maxTopics: number;
  maxGroups: number;
}
