/** One queue of a topic. */
export interface MessageQueue {
  /** With the namespace, as on the wire. */
  readonly topic: string;
  /** Name of the broker group that has it. */
  readonly brokerName: string;
  /** 0 … */
  readonly queueId: number;
}

/** One broker group of a route. */
export interface RouteBroker {
  /** Its name. */
  readonly brokerName: string;
  /** The cluster that it belongs to. */
  readonly cluster: string;
  /** `ip:port` by broker id; 0 is the master. */
  readonly addresses: ReadonlyMap<number, string>;
}

/** Where a topic's queues are. */
export interface TopicRoute {
  /** With the namespace, as on the wire. */
  readonly topic: string;
  /** Queues that take messages: of writable brokers with a master, by broker name, then by number. */
  readonly writeQueues: readonly MessageQueue[];
  /** Queues that are read: of readable brokers, by broker name, then by number. */
  readonly readQueues: readonly MessageQueue[];
  /** By broker name. */
  readonly brokers: ReadonlyMap<string, RouteBroker>;
  /** `broker:queues;…` of an order topic, else null. */
  readonly orderConf: string | null;
  /** True for the route of the default topic in place of a topic that does not exist yet. */
  readonly assumed: boolean;
}
