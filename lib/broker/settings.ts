/** What the broker itself reads of the configuration: Apache's key names, parsed (admin sheet §4). Times in ms unless said. */
export interface BrokerSettings {
  /** Name that a master and its slaves share. */
  brokerName: string;
  /** Name of the cluster. */
  brokerClusterName: string;
  /** 0: master. */
  brokerId: number;
  /** Role in replication; SLAVE is refused so far. */
  brokerRole: "ASYNC_MASTER" | "SYNC_MASTER" | "SLAVE";
  /** Several addresses, separated by `;`. Empty: registers nowhere. */
  namesrvAddr: string;
  /** Address told to clients, an IP or a name without port. */
  brokerIP1: string;
  /** Address told to slaves. */
  brokerIP2: string;
  /** Port told to clients when it is not `listenPort` (`--advertise HOST:PORT`); 0: `listenPort`. */
  advertisedPort: number;
  /** Address to listen on. */
  bindAddress: string;
  /** Port for clients; 2 below it listens too. */
  listenPort: number;
  /** Port for slaves; 0: `listenPort` + 1. */
  haListenPort: number;
  /** 6: read and write, 4: read, 2: write. */
  brokerPermission: number;
  /** Queues of a topic made by a send. */
  defaultTopicQueueNums: number;
  /** Sends create their topic. */
  autoCreateTopicEnable: boolean;
  /** Consumers create their group. */
  autoCreateSubscriptionGroup: boolean;
  /** Groups `CID_RMQ_SYS_…` are always created. */
  enableCreateSysGroup: boolean;
  /** The topic named as the cluster can be read and written. */
  clusterTopicEnable: boolean;
  /** The topic named as the broker can be read and written. */
  brokerTopicEnable: boolean;
  /** The trace topic exists from the start. */
  traceTopicEnable: boolean;
  /** Name of the trace topic. */
  msgTraceTopicName: string;
  /** Tells clients that tracing is on. */
  traceOn: boolean;
  /** Region told to clients. */
  regionId: string;
  /** Replies are stored in the reply topic, besides being pushed to who asked. */
  storeReplyMessageEnable: boolean;
  /** Refuses half messages. */
  rejectTransactionMessage: boolean;
  /** A transaction is left alone for so long after its message was born, ms. */
  transactionTimeOut: number;
  /** Checks after which a transaction is given up. */
  transactionCheckMax: number;
  /** Between two looks through the open transactions, ms. */
  transactionCheckInterval: number;
  /** Text of one op message, bytes. */
  transactionOpMsgMaxSize: number;
  /** Counts of open transactions to disk, ms. */
  transactionMetricFlushInterval: number;
  /** Messages are kept so long, and transactions open, h. */
  fileReservedTime: number;
  /** Sends before it are refused, ms. */
  startAcceptSendRequestTimeStamp: number;
  /** Largest body, bytes. */
  maxMessageSize: number;
  /** Delay levels: numbers with s, m, h or d. */
  messageDelayLevel: string;
  /** SYNC_FLUSH: an answer means that the message is on disk. */
  flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** Not on disk after so long: answer 10, ms. */
  syncFlushTimeout: number;
  /** How long a send may wait before it is appended; older ones get code 2. */
  waitTimeMillsInSendQueue: number;
  /** Pulls wait for messages. */
  longPollingEnable: boolean;
  /** How long they wait otherwise, ms. */
  shortPollingTimeMills: number;
  /** Request 361 is served. */
  litePullMessageEnable: boolean;
  /** SQL92 subscriptions are allowed. */
  enablePropertyFilter: boolean;
  /** An SQL92 subscription to a retry topic filters by the original topic's expression. */
  filterSupportRetry: boolean;
  /** The filter of a group that is gone so long is forgotten, ms. */
  filterDataCleanTimeSpan: number;
  /** Percent, for the bits in consumerFilter.json. */
  maxErrorRateOfBloomFilter: number;
  /** Consumers, for the bits in consumerFilter.json. */
  expectConsumerNumUseFilter: number;
  /** Consumers may be sent to slaves, once built. */
  slaveReadEnable: boolean;
  /** Tells members of changes (40). */
  notifyConsumerIdsChangedEnable: boolean;
  /** Clients without heartbeat go, ms. */
  channelExpiredTimeout: number;
  /** Consumer offsets to disk, ms. */
  flushConsumerOffsetInterval: number;
  /** Progress of delay levels to disk, ms. */
  flushDelayOffsetInterval: number;
  /** Registration, kept within 10 000 and 60 000 ms. */
  registerNameServerPeriod: number;
  /** A registration may take so long, ms. */
  registerBrokerTimeoutMills: number;
  /** Registers each period without asking first. */
  forceRegister: boolean;
  /** Answers to a query by unique key. */
  defaultQueryMaxNum: number;
  /** Answers to a query. */
  maxMsgsNumBatch: number;
  /** Messages of one pull. */
  maxTransferCountOnMessageInMemory: number;
  /** Bytes of one pull. */
  maxTransferBytesOnMessageInMemory: number;
  /** Queues of the revive topic. */
  reviveQueueNum: number;
  /** Messages with a time of their own are taken. */
  timerWheelEnable: boolean;
  /** A tick of the timer wheel, ms. */
  timerPrecisionMs: number;
  /** Longest time away of a timer message, s. */
  timerMaxDelaySec: number;
  /** A timer message farther away is stored again on its way, ticks. */
  timerRollWindowSlot: number;
  /** A file of the timer log, bytes. */
  mappedFileSizeTimerLog: number;
  /** Progress of the timers to disk, ms. */
  timerFlushIntervalMs: number;
  /** A recall names topic and message instead of the message alone. */
  appendTopicForTimerDeleteKey: boolean;
  /** Timer messages can be recalled (370). */
  recallMessageEnable: boolean;
  /** … by a broker that does not take messages too. */
  allowRecallWhenBrokerNotWriteable: boolean;
  /** A silent connection is closed, s. */
  serverChannelMaxIdleTimeSeconds: number;
  /** Directory of all data. */
  storePathRootDir: string;
  /** Bytes of sends that may wait per connection, and in all. */
  parkedBytesPerConnection: number;
  /** Waiting sends of all connections, bytes. */
  parkedBytes: number;
  /** Pulls that may be parked in all. */
  maxParkedPulls: number;
  /** Questions to clients (221, 307, 309, 326) that may wait for an answer. */
  maxClientAsks: number;
  /** Resets of offsets (222) are kept here for the next pull; false: they are pushed to the members that are online. */
  useServerSideResetOffset: boolean;
  /** Characters of an SQL92 expression. */
  maxFilterLength: number;
  /** Its nested parentheses, signs and NOTs. */
  maxFilterDepth: number;
  /** How often it looks at properties. */
  maxFilterTerms: number;
  /** Expressions registered, and kept compiled. */
  maxFilters: number;
  /** Topics, groups and clients that may exist; beyond it creation is refused. */
  maxTopics: number;
  /** Further groups are refused. */
  maxGroups: number;
}
