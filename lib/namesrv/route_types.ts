/** Counter, timestamp and state version of a broker's topic table; equal only when all three are. */
export interface DataVersion {
  /** Grows with each change. */
  readonly counter: number;
  /** Grows with each change of role. */
  readonly stateVersion: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** The queues that one broker name has of a topic. */
export interface QueueData {
  /** Name that a master shares with its slaves. */
  readonly brokerName: string;
  /** 4 read, 2 write, 1 inherited. */
  readonly perm: number;
  /** Queues that consumers read. */
  readonly readQueueNums: number;
  /** Bit 0 unit, bit 1 unit sub. */
  readonly topicSysFlag: number;
  /** Queues that producers write. */
  readonly writeQueueNums: number;
}

/** The brokers of one name: master (id 0) and slaves. */
export interface BrokerData {
  /** Name that a master shares with its slaves. */
  readonly brokerName: string;
  /** Cluster name. */
  readonly cluster: string;
  /** Whether a slave may stand in for the master. */
  readonly enableActingMaster: boolean;
  /** Zone of the brokers, or null. */
  readonly zoneName: string | null;
  /** `host:port` by broker id, in ascending order of ids. */
  readonly brokerAddrs: ReadonlyMap<number, string>;
}

/** What a broker says of a static topic. */
export interface TopicQueueMapping {
  /** Broker name. */
  readonly bname: string;
  /** Physical queue id by logical queue id. */
  readonly currIdMap: ReadonlyMap<number, number>;
  /** As the broker says. */
  readonly dirty: boolean;
  /** Grows with each remapping. */
  readonly epoch: number;
  /** `__global__` unless told otherwise. */
  readonly scope: string;
  /** Topic name. */
  readonly topic: string;
  /** Logical queues in all. */
  readonly totalQueues: number;
}

/** Where a topic is. */
export interface TopicRoute {
  /** Topic name. */
  readonly topic: string;
  /** Brokers that have queues of it. */
  readonly brokerDatas: readonly BrokerData[];
  /** One entry for each broker name. */
  readonly queueDatas: readonly QueueData[];
  /** Filter servers by broker address. */
  readonly filterServers: ReadonlyMap<string, readonly string[]>;
  /** What brokers say of static topics. */
  readonly mappings: ReadonlyMap<string, TopicQueueMapping> | null;
}

/** A topic as a broker registers it. */
export interface RegisteredTopic {
  /** Topic name. */
  readonly topicName: string;
  /** 4 read, 2 write, 1 inherited. */
  readonly perm: number;
  /** Queues that consumers read. */
  readonly readQueueNums: number;
  /** Bit 0 unit, bit 1 unit sub. */
  readonly topicSysFlag: number;
  /** Queues that producers write. */
  readonly writeQueueNums: number;
}

/** The body of 103. */
export interface RegistrationBody {
  /** Version of the topic table. */
  readonly dataVersion: DataVersion;
  /** The topic table. */
  readonly topics: readonly RegisteredTopic[];
  /** What brokers say of static topics. */
  readonly mappings: readonly (readonly [topic: string, mapping: TopicQueueMapping])[];
  /** null: the broker's list stays as it was. */
  readonly filterServers: readonly string[] | null;
}

/** A broker that registers: the header of 103. */
export interface RegistrationHead {
  /** Cluster name. */
  readonly clusterName: string;
  /** `host:port` of the broker's listening port. */
  readonly brokerAddr: string;
  /** Name that a master shares with its slaves. */
  readonly brokerName: string;
  /** 0 for a master. */
  readonly brokerId: number;
  /** `host:port` of the replication port, or null. */
  readonly haServerAddr: string | null;
  /** Zone of the brokers, or null. */
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
  /** What it registers. */
  readonly body: RegistrationBody;
}

/** The answer to a registration. */
export interface Registered {
  /** `host:port` of the replication port, or null. */
  readonly haServerAddr: string | null;
  /** The master's address for a slave, else null. */
  readonly masterAddr: string | null;
}

/** A broker that goes. */
export interface Unregistration {
  /** Cluster name. */
  readonly clusterName: string;
  /** `host:port` of the broker's listening port. */
  readonly brokerAddr: string;
  /** Name that a master shares with its slaves. */
  readonly brokerName: string;
  /** 0 for a master. */
  readonly brokerId: number;
}

/** What the brokers of a name are told when the smallest id among them changed (905). */
export interface MinBrokerIdChange {
  /** Addresses to tell. */
  readonly tell: readonly string[];
  /** The smallest id now. */
  readonly minBrokerId: number;
  /** Address of that broker. */
  readonly minBrokerAddr: string;
  /** Address of the broker that went, or null. */
  readonly offlineBrokerAddr: string | null;
  /** Replication address of the broker that came, or null. */
  readonly haBrokerAddr: string | null;
}
