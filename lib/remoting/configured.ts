import type { ServerValues, Settings } from "@rmq/config";
import type { ServerLimits, TlsSettings } from "./types.ts";

/** Bounds of a server's connections. */
export function serverLimits(settings: Settings<ServerValues>): ServerLimits {
  return settings.slice(LIMIT_KEYS);
}

/** TLS of a server. */
export function tlsSettings(settings: Settings<ServerValues>): TlsSettings {
  return {
    mode: settings.get("tls.server.mode"),
    testMode: settings.get("tls.test.mode.enable"),
    certPath: settings.get("tls.server.certPath") || null,
    keyPath: settings.get("tls.server.keyPath") || null,
    keyPassword: settings.get("tls.server.keyPassword") || null,
    trustCertPath: settings.get("tls.server.trustCertPath") || null,
    clientAuth: settings.get("tls.server.need.client.auth"),
  };
}

const LIMIT_KEYS = [
  "maxConnections",
  "maxFrameLength",
  "maxPendingRequestsPerConnection",
  "maxBufferedBytesPerConnection",
  "maxBufferedBytes",
] as const;
