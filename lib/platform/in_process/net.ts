import { clearInterval, setInterval } from "node:timers";
import { type Address, type Connection, type Listener, type Net, PlatformError } from "../types.ts";
import { LocalConnection } from "./connection.ts";

const LOOPBACK = "127.0.0.1";
const FIRST_FREE_PORT = 49152;
const LAST_PORT = 65535;
const LONGEST_DELAY_MS = 0x7fffffff;
const ANY = ["0.0.0.0", "::"];
const HERE = [LOOPBACK, "::1", "localhost"];

interface Port {
  readonly address: Address;
  accepting: boolean;
  /** Connections that came while it was paused. */
  readonly waiting: (() => void)[];
  readonly accept: (connection: Connection) => void;
}

/**
 * A network within the process: what listens on it is reached from it alone, and no port of the machine is taken.
 * `soon` runs something in a later turn of the loop. It knows no TLS.
 */
export function localNet(soon: (run: () => void) => void): Net {
  const ports = new Map<number, Port>();
  let lastPort = FIRST_FREE_PORT - 1;
  const freePort = (): number => {
    do lastPort = lastPort >= LAST_PORT ? FIRST_FREE_PORT : lastPort + 1; while (ports.has(lastPort));
    return lastPort;
  };
  return {
    listen: ({ host, port: wanted }, accept) => {
      const number = wanted === 0 ? freePort() : wanted;
      if (ports.has(number)) {
        return Promise.reject(new PlatformError("EADDRINUSE", `${host}:${number} is in use in this process`));
      }
      const port: Port = { address: { host, port: number }, accepting: true, waiting: [], accept };
      ports.set(number, port);
      return Promise.resolve(listenerOf(port, () => ports.delete(number)));
    },
    connect: ({ host, port: number, tls }) =>
      new Promise((fulfil, reject) =>
        soon(() => {
          if (tls !== undefined) return reject(noTls());
          const port = ports.get(number);
          if (port === undefined || !reaches(port.address.host, host)) {
            return reject(
              new PlatformError("ECONNREFUSED", `${host}:${number} refused: nothing listens in this process`),
            );
          }
          const [client, server] = pairOf(port, freePort(), soon);
          fulfil(client);
          const accept = () => port.accept(server);
          if (port.accepting) accept();
          else port.waiting.push(accept);
        })
      ),
    startTls: (connection, _first, _options, _accept, failed) => {
      connection.destroy();
      soon(() => failed(noTls()));
    },
    resolve: (name) =>
      /^[\d.]+$/.test(name) || name.includes(":")
        ? Promise.resolve([name])
        : name === "localhost"
        ? Promise.resolve([LOOPBACK])
        : Promise.reject(new PlatformError("ENOTFOUND", `${name}: no such host in this process`)),
    interfaces: () => [{ name: "lo", address: LOOPBACK, family: 4, loopback: true }],
  };
}

function listenerOf(port: Port, close: () => void): Listener {
  // A listening socket keeps its process alive, and so must this.
  const alive = setInterval(() => {}, LONGEST_DELAY_MS);
  return {
    address: port.address,
    pause: () => void (port.accepting = false),
    resume: () => {
      port.accepting = true;
      for (const accept of port.waiting.splice(0)) accept();
    },
    close: () => {
      clearInterval(alive);
      close();
    },
  };
}

function pairOf(port: Port, from: number, soon: (run: () => void) => void): [LocalConnection, LocalConnection] {
  const host = ANY.includes(port.address.host) ? LOOPBACK : port.address.host;
  const near: Address = { host: LOOPBACK, port: from };
  const far: Address = { host, port: port.address.port };
  const client = new LocalConnection(near, far, soon);
  const server = new LocalConnection(far, near, soon);
  client.peer = server;
  server.peer = client;
  return [client, server];
}

function reaches(bound: string, asked: string): boolean {
  return bound === asked || HERE.includes(asked) && (ANY.includes(bound) || HERE.includes(bound));
}

function noTls(): PlatformError {
  return new PlatformError("ENOTSUP", "the network within the process knows no TLS");
}
