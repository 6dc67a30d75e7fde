/** Counter, timestamp and state version of a broker's topic table; equal only when all three are. */
export interface DataVersion {
  readonly counter: number;
  readonly stateVersion: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** The queues that one broker name has of a topic. */
export interface QueueData {
  readonly brokerName: string;
  /** 4 read, 2 write, 1 inherited. */
  readonly perm: number;
  readonly readQueueNums: number;
  readonly topicSysFlag: number;
  readonly writeQueueNums: number;
}

/** The brokers of one name: master (id 0) and slaves. */
export interface BrokerData {
  readonly brokerName: string;
  readonly cluster: string;
  readonly enableActingMaster: boolean;
  readonly zoneName: string | null;
  /** `host:port` by broker id, in ascending order of ids. */
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

/** What a broker says of a static topic. */
export interface TopicQueueMapping {
  readonly bname: string;
  readonly currIdMap: ReadonlyMap<number, number>;
  readonly dirty: boolean;
  readonly epoch: number;
  readonly scope: string;
  readonly topic: string;
  readonly totalQueues: number;
}

/** Where a topic is. */
export interface TopicRoute {
  readonly topic: string;
  readonly brokerDatas: readonly BrokerData[];
  readonly queueDatas: readonly QueueData[];
  /** Filter servers by broker address. */
  readonly filterServers: ReadonlyMap<string, readonly string[]>;
  readonly mappings: ReadonlyMap<string, TopicQueueMapping> | null;
}

/** A topic as a broker registers it. */
export interface RegisteredTopic {
  readonly topicName: string;
  readonly perm: number;
  readonly readQueueNums: number;
  readonly topicSysFlag: number;
  readonly writeQueueNums: number;
}

/** The body of 103. */
export interface RegistrationBody {
  readonly dataVersion: DataVersion;
  readonly topics: readonly RegisteredTopic[];
  readonly mappings: readonly (readonly [topic: string, mapping: TopicQueueMapping])[];
  /** null: the broker's list stays as it was. */
  readonly filterServers: readonly string[] | null;
}

/** A broker that registers: the header of 103. */
export interface RegistrationHead {
  readonly clusterName: string;
  readonly brokerAddr: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly haServerAddr: string | null;
  readonly zoneName: string | null;
  /** null: 120 s. */
  readonly heartbeatTimeoutMs: number | null;
  /** null: an old broker that does not know the field. */
  readonly enableActingMaster: boolean | null;
  /** Stands for the connection that it came by; what it is does not matter to the table. */
  readonly owner: object;
  /** Tells bodies apart; null when it is not known. */
  readonly fingerprint: number | null;
}

/** Header and body of 103. */
export interface Registration extends RegistrationHead {
  readonly body: RegistrationBody;
}

/** The answer to a registration. */
export interface Registered {
  readonly haServerAddr: string | null;
  readonly masterAddr: string | null;
}

/** A broker that goes. */
export interface Unregistration {
  readonly clusterName: string;
  readonly brokerAddr: string;
  readonly brokerName: string;
  readonly brokerId: number;
}

/** What the brokers of a name are told when the smallest id among them changed (905). */
export interface MinBrokerIdChange {
  /** Addresses to tell. */
  readonly tell: readonly string[];
  readonly minBrokerId: number;
  readonly minBrokerAddr: string;
  readonly offlineBrokerAddr: string | null;
  readonly haBrokerAddr: string | null;
}
