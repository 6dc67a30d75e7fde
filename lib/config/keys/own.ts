/** Bounds of a server's connections, for brokers and name servers. */
export const ownServerKeys = {
  maxConnections: { kind: "int", default: 65536, min: 1, about: "further connections are closed at once" },
  maxFrameLength: { kind: "int", default: 16777216, min: 65536, about: "a longer frame ends its connection, bytes" },
  maxPendingRequestsPerConnection: { kind: "int", default: 1024, min: 1, about: "our requests to a client under way" },
  maxBufferedBytesPerConnection: {
    kind: "long",
    default: 67108864,
    min: 65536,
    about: "a peer that leaves more unread is cut off, bytes",
  },
  maxBufferedBytes: { kind: "long", default: 536870912, min: 65536, about: "what all peers may leave unread, bytes" },
} as const;

/** Our own keys, for the broker and its store. */
export const ownBrokerKeys = {
  advertisedPort: { kind: "int", default: 0, max: 65535, about: "port told to clients; 0: `listenPort`" },
  parkedBytesPerConnection: { kind: "long", default: 4194304, min: 1, about: "waiting sends of a connection, bytes" },
  parkedBytes: { kind: "long", default: 67108864, min: 1, about: "waiting sends of all connections, bytes" },
  maxParkedPulls: { kind: "int", default: 100000, min: 1, about: "pulls that wait; further ones are answered at once" },
  maxClientAsks: { kind: "int", default: 1024, min: 1, about: "questions to clients that wait; further ones fail" },
  maxFilterLength: { kind: "int", default: 8192, min: 1, about: "characters of an SQL92 expression" },
  maxFilterDepth: { kind: "int", default: 256, min: 1, max: 256, about: "its nested parentheses, signs and NOTs" },
  maxFilterTerms: { kind: "int", default: 128, min: 1, about: "how often it looks at properties" },
  maxFilters: { kind: "int", default: 10000, min: 1, about: "expressions registered, and kept compiled" },
  maxTopics: { kind: "int", default: 100000, min: 32, about: "further topics are refused" },
  maxGroups: { kind: "int", default: 100000, min: 32, about: "further groups are refused" },
  minFreeBytes: { kind: "long", default: 0, about: "free bytes decide instead of the disk's ratios; 0: ratios" },
  tailBytes: { kind: "long", default: 33554432, min: 1048576, about: "newest part of the log kept in memory" },
  blockCacheBytes: { kind: "long", default: 33554432, min: 2097152, about: "cache for older parts" },
  undurableBytes: { kind: "long", default: 67108864, min: 1048576, about: "most that may be written and not on disk" },
  checkpointBytes: { kind: "long", default: 268435456, min: 1048576, about: "a checkpoint each so many bytes of log" },
  checkpointIntervalMs: { kind: "long", default: 10000, min: 1, about: "and each so many ms" },
  openFiles: { kind: "int", default: 512, min: 16, about: "descriptors that the store keeps open" },
  queueMemoryBytes: { kind: "long", default: 67108864, min: 1048576, about: "consume queues in memory" },
} as const;
