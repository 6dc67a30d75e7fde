import type { ConnectionBudget } from "../connection_budget.ts";
import { platformError } from "../errors.ts";
import type { Address, Listener, Net, PlatformError } from "../types.ts";
import { BunConnection } from "./connection.ts";
import {
  type BunListener,
  bunNames,
  type BunSocket,
  type BunSocketHandlers,
  nobody,
  passToOwner,
  type SocketOwner,
} from "./socket.ts";

const BACKLOG = 1024;
const refused: SocketOwner = { ...nobody };

/** Implements `Net.listen` with Bun's own sockets. */
export function bunListen(budget: ConnectionBudget): Net["listen"] {
  return (options, accept, error) =>
    new Promise((fulfil, reject) => {
      const handlers = passToOwner((socket) => {
        if (budget.take()) return accept(new BunConnection(socket, false));
        socket.data = refused;
        socket.terminate();
        error(budget.exhausted());
      });
      const pass = handlers.close;
      handlers.close = (socket: BunSocket, failure?: Error) => {
        if (socket.data !== refused) budget.giveBack();
        pass(socket, failure);
      };
      try {
        fulfil(new BunPort(options, handlers, error));
      } catch (failure) {
        reject(platformError(failure));
      }
    });
}

class BunPort implements Listener {
  readonly address: Address;
  readonly #backlog: number;
  readonly #handlers: BunSocketHandlers;
  readonly #error: (error: PlatformError) => void;
  #bound: BunListener | null;
  #closed = false;

  constructor(
    options: { host: string; port: number; backlog?: number },
    handlers: BunSocketHandlers,
    error: (error: PlatformError) => void,
  ) {
    this.#backlog = options.backlog ?? BACKLOG;
    this.#handlers = handlers;
    this.#error = error;
    this.#bound = this.#bind(options);
    this.address = { host: options.host, port: this.#bound.port };
  }

  // Bun can't stop accepting and keep the port, so a paused port is closed and bound again.
  pause(): void {
    this.#bound?.stop(false);
    this.#bound = null;
  }

  resume(): void {
    if (this.#closed || this.#bound !== null) return;
    try {
      this.#bound = this.#bind(this.address);
    } catch (failure) {
      this.#error(platformError(failure));
    }
  }

  close(): void {
    this.#closed = true;
    this.pause();
  }

  #bind({ host, port }: Address): BunListener {
    return bunNames().listen({ hostname: host, port, backlog: this.#backlog, socket: this.#handlers });
  }
}
