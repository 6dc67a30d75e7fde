import type { Server, TLSSocket } from "node:tls";
import { tls } from "../builtin/mod.ts";
import { platformError } from "../errors.ts";
import { plainHost } from "../plain_host.ts";
import { type Connection, PlatformError, type TlsServerOptions } from "../types.ts";
import { SocketConnection } from "./socket_connection.ts";

interface Handshake {
  accept(connection: Connection): void;
  failed(error: PlatformError): void;
}

const HANDSHAKE_MS = 10_000;

// One server for each set of certificates: reading them costs more than a handshake. It never listens itself.
const servers = new WeakMap<TlsServerOptions, Server>();
const handshakes = new Map<string, Handshake>();

/** Implements `Net.startTls`. */
export function startTls(
  connection: Connection,
  first: Uint8Array,
  options: TlsServerOptions,
  accept: (connection: Connection) => void,
  failed: (error: PlatformError) => void,
): void {
  if (!(connection instanceof SocketConnection)) throw new PlatformError("EINVAL", "not a connection of this network");
  const socket = connection.detach(first);
  let server: Server;
  try {
    server = serverFor(options);
  } catch (error) {
    socket.destroy();
    return failed(platformError(error));
  }
  const key = keyOf(connection.remote.host, connection.remote.port, connection.local.port);
  const settle = (): void => {
    clearTimeout(timer);
    handshakes.delete(key);
    socket.removeListener("close", onClose);
  };
  const fail = (error: PlatformError): void => {
    settle();
    socket.destroy();
    failed(error);
  };
  const onClose = (): void => fail(new PlatformError("ECONNRESET", "closed during the TLS handshake"));
  const timer = setTimeout(() => fail(new PlatformError("ETIMEDOUT", "TLS handshake took too long")), HANDSHAKE_MS);
  socket.on("close", onClose);
  socket.on("error", () => {});
  handshakes.set(key, {
    accept: (secured) => {
      settle();
      accept(secured);
    },
    failed: fail,
  });
  server.emit("connection", socket);
}

function serverFor(options: TlsServerOptions): Server {
  const known = servers.get(options);
  if (known !== undefined) return known;
  const { cert, key, ca, clientAuth = "none" } = options;
  const server = tls().createServer({
    cert,
    key,
    requestCert: clientAuth !== "none",
    rejectUnauthorized: clientAuth === "require",
    handshakeTimeout: HANDSHAKE_MS,
    ...(ca === undefined ? {} : { ca }),
  });
  server.on("secureConnection", (socket) => {
    const handshake = handshakeOf(socket);
    if (handshake === undefined) return void socket.destroy();
    handshake.accept(new SocketConnection(socket, true));
  });
  server.on("tlsClientError", (error, socket) => handshakeOf(socket)?.failed(platformError(error)));
  servers.set(options, server);
  return server;
}

// The runtimes don't agree on how a TLS socket names the plain one below it; both ends of a connection do name it.
function handshakeOf(socket: TLSSocket): Handshake | undefined {
  return handshakes.get(keyOf(plainHost(socket.remoteAddress), socket.remotePort ?? 0, socket.localPort ?? 0));
}

function keyOf(remoteHost: string, remotePort: number, localPort: number): string {
  return `${remoteHost}|${remotePort}|${localPort}`;
}
