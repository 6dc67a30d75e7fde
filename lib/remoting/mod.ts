/**
 * Connections that carry RocketMQ requests both ways (remoting.md §1, §6).
 *
 * @module
 */
export { RemotingError } from "./types.ts";
export type {
  AnswerTaker,
  ClientOptions,
  Handler,
  Handlers,
  Later,
  PeerRequest,
  RemotingClient,
  RemotingConnection,
  RemotingErrorCode,
  RemotingServer,
  Response,
  ServerLimits,
  ServerOptions,
  ServerStats,
  TlsSettings,
} from "./types.ts";
export { formatAddress, parseAddress } from "./address.ts";
export { serverLimits, tlsSettings } from "./configured.ts";
export { createClient } from "./client.ts";
export { startServer } from "./server.ts";
