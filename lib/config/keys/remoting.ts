/** Keys of Apache's `NettyServerConfig` that a server reads (admin.md §4.3); `listenPort` differs by server. */
export const remotingKeys = {
  bindAddress: { kind: "text", default: "0.0.0.0", about: "address to listen on" },
  serverChannelMaxIdleTimeSeconds: { kind: "int", default: 120, min: 1, about: "a silent connection is closed, s" },
} as const;

/** `listenPort` of a broker. */
export const brokerPortKeys = {
  listenPort: { kind: "int", default: 10911, min: 1, max: 65535, about: "port for clients; 2 below it listens too" },
} as const;

/** `listenPort` of a name server. */
export const namesrvPortKeys = {
  listenPort: { kind: "int", default: 9876, max: 65535, about: "port for clients and brokers" },
} as const;

/**
 * Apache's `TlsSystemConfig`: JVM properties or lines of `tls.config.file` there, ordinary keys here.
 * A variable's name has `_` for each `.`: `RMQ_tls_server_mode`.
 */
export const tlsKeys = {
  "tls.config.file": { kind: "text", default: "/etc/rocketmq/tls.properties", about: "file with the keys below" },
  "tls.server.mode": {
    kind: "text",
    default: "permissive",
    values: ["disabled", "permissive", "enforcing"],
    about: "enforcing: plain connections are closed; disabled: TLS ones are",
  },
  "tls.test.mode.enable": { kind: "bool", default: true, about: "a self-signed certificate when none is given" },
  "tls.server.certPath": { kind: "text", default: "", about: "certificate chain, PEM" },
  "tls.server.keyPath": { kind: "text", default: "", about: "private key, PEM" },
  "tls.server.keyPassword": { kind: "text", default: "", about: "password of the private key" },
  "tls.server.trustCertPath": { kind: "text", default: "", about: "who signed the clients' certificates, PEM" },
  "tls.server.need.client.auth": {
    kind: "text",
    default: "none",
    values: ["none", "optional", "require"],
    about: "whether clients show a certificate",
  },
} as const;
