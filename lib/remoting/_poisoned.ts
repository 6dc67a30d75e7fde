import type { Connection, ConnectionHandler, Platform } from "@rmq/platform";

/**
 * A platform whose accepted connections overwrite each chunk once `data` has returned: whoever keeps a view of it
 * reads 0xA5 from then on.
 */
export function poisoned(platform: Platform): Platform {
  return {
    ...platform,
    net: {
      listen: (options, accept, error) =>
        platform.net.listen(options, (connection) => {
          poison(connection);
          accept(connection);
        }, error),
      connect: (options) => platform.net.connect(options),
      startTls: (connection, first, options, accept, failed) =>
        platform.net.startTls(connection, first, options, (secure) => {
          poison(secure);
          accept(secure);
        }, failed),
      resolve: (host) => platform.net.resolve(host),
      interfaces: () => platform.net.interfaces(),
    },
  };
}

function poison(connection: Connection): void {
  let handler: ConnectionHandler = { data: () => {}, close: () => {} };
  Object.defineProperty(connection, "handler", {
    get: () => handler,
    set: (given: ConnectionHandler) => {
      handler = {
        data: (chunk) => {
          const copy = chunk.slice();
          given.data(copy);
          copy.fill(0xa5);
        },
        drain: () => given.drain?.(),
        close: (error) => given.close(error),
      };
    },
  });
}
