import { type AddressInfo, createServer, type Server } from "node:net";
import { platformError } from "../errors.ts";
import type { ConnectionBudget } from "../connection_budget.ts";
import type { Address, Listener, Net } from "../types.ts";
import { SocketConnection } from "./socket_connection.ts";

const BACKLOG = 1024;

/** Implements `Net.listen` with `node:net`. */
export function nodeListen(budget: ConnectionBudget): Net["listen"] {
  const giveBack = (): void => budget.giveBack();
  return async (options, accept, error) => {
    const server = createServer({ noDelay: true }, (socket) => {
      // A peer that is gone already has no address, and nothing to say.
      if (socket.remoteAddress === undefined) return void socket.destroy();
      if (!budget.take()) {
        socket.destroy();
        return error(budget.exhausted());
      }
      socket.once("close", giveBack);
      accept(new SocketConnection(socket, false));
    });
    const backlog = options.backlog ?? BACKLOG;
    await bind(server, options.host, options.port, backlog);
    server.on("error", (failure) => error(platformError(failure)));
    return new ServerListener(server, options.host, backlog);
  };
}

function bind(server: Server, host: string, port: number, backlog: number): Promise<void> {
  return new Promise((fulfil, reject) => {
    const refused = (failure: Error): void => reject(platformError(failure));
    server.once("error", refused);
    server.listen({ host, port, backlog }, () => {
      server.removeListener("error", refused);
      fulfil();
    });
  });
}

class ServerListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #host: string;
  readonly #backlog: number;
  #open = true;
  #wanted = true;
  #closed = false;

  constructor(server: Server, host: string, backlog: number) {
    this.#server = server;
    this.#host = host;
    this.#backlog = backlog;
    const bound = server.address() as AddressInfo;
    this.address = { host: bound.address, port: bound.port };
  }

  // `node:net` can't stop accepting and keep the port, so a paused port is closed and bound again.
  pause(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#shut();
  }

  resume(): void {
    if (this.#wanted || this.#closed) return;
    this.#wanted = true;
    this.#open = true;
    this.#server.listen({ host: this.#host, port: this.address.port, backlog: this.#backlog });
  }

  close(): void {
    this.#closed = true;
    this.#shut();
  }

  #shut(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#server.close();
  }
}
