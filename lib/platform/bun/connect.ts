import { platformError } from "../errors.ts";
import { type Connection, type Net, PlatformError } from "../types.ts";
import { BunConnection } from "./connection.ts";
import { bunNames, nobody, passToOwner } from "./socket.ts";

/** Implements `Net.connect` for plain connections with Bun's own sockets; `secured` connects with TLS. */
export function bunConnect(secured: Net["connect"]): Net["connect"] {
  return (options) => {
    if (options.tls !== undefined) return secured(options);
    const { host, port, timeoutMs } = options;
    return new Promise<Connection>((fulfil, reject) => {
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        clearTimeout(timer);
        return settled = true;
      };
      const fail = (error: unknown): void => {
        if (settle()) reject(platformError(error));
      };
      const timer = setTimeout(
        () => fail(new PlatformError("ETIMEDOUT", `no connection to ${host}:${port} within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const handlers = passToOwner((socket) => {
        if (settle()) return fulfil(new BunConnection(socket, false));
        socket.data = nobody;
        socket.terminate();
      });
      handlers.connectError = (_socket, error) => fail(error);
      bunNames().connect({ hostname: host, port, data: nobody, socket: handlers }).catch(fail);
    });
  };
}
