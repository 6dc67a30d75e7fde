import { isIP, type Socket } from "node:net";
import { connect as connectPlain } from "node:net";
import { tls as nodeTls } from "../builtin/mod.ts";
import { platformError } from "../errors.ts";
import { type Connection, PlatformError, type TlsClientOptions } from "../types.ts";
import { SocketConnection } from "./socket_connection.ts";

/** Implements `Net.connect`. */
export function connect(
  options: { host: string; port: number; timeoutMs: number; tls?: TlsClientOptions },
): Promise<Connection> {
  const { host, port, timeoutMs, tls } = options;
  return new Promise((fulfil, reject) => {
    const socket = tls === undefined ? connectPlain({ host, port }) : openTls(host, port, tls);
    const giveUp = (error: PlatformError): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      // A socket that fails again after it was given up must not end the process.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => giveUp(new PlatformError("ETIMEDOUT", `no connection to ${host}:${port} within ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.once("error", (error) => giveUp(platformError(error)));
    socket.once("close", () => giveUp(new PlatformError("ECONNRESET", `${host}:${port} closed the connection`)));
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      fulfil(new SocketConnection(socket, tls !== undefined));
    });
  });
}

function openTls(host: string, port: number, tls: TlsClientOptions): Socket {
  const servername = tls.serverName ?? (isIP(host) === 0 ? host : undefined);
  return nodeTls().connect({
    host,
    port,
    rejectUnauthorized: tls.verify ?? true,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(servername === undefined ? {} : { servername }),
  });
}
