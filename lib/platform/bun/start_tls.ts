import { platformError } from "../errors.ts";
import { type Connection, type Net, PlatformError, type TlsServerOptions } from "../types.ts";
import { BunConnection } from "./connection.ts";
import { type BunSocket, nobody, passToOwner, type SocketOwner } from "./socket.ts";

const HANDSHAKE_MS = 10_000;
const handlers = passToOwner(() => {});

/** Implements `Net.startTls` on Bun's own sockets. */
export const bunStartTls: Net["startTls"] = (connection, first, options, accept, failed) => {
  if (!(connection instanceof BunConnection)) throw new PlatformError("EINVAL", "not a connection of this network");
  const socket = connection.detach();
  const handshake = new Handshake(socket, options, accept, failed);
  try {
    socket.upgradeTLS({ isServer: true, initialData: first, data: handshake, tls: tlsOf(options), socket: handlers });
  } catch (error) {
    handshake.failed(error instanceof Error ? error : new Error(String(error)));
  }
};

function tlsOf({ cert, key, ca, clientAuth = "none" }: TlsServerOptions): Record<string, unknown> {
  return {
    cert,
    key,
    requestCert: clientAuth !== "none",
    rejectUnauthorized: clientAuth === "require",
    ...(ca === undefined ? {} : { ca }),
  };
}

/** Owns the socket until the handshake is done or has failed. */
class Handshake implements SocketOwner {
  readonly #plain: BunSocket;
  readonly #options: TlsServerOptions;
  readonly #accept: (connection: Connection) => void;
  readonly #failed: (error: PlatformError) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #settled = false;

  constructor(
    plain: BunSocket,
    options: TlsServerOptions,
    accept: (connection: Connection) => void,
    failed: (error: PlatformError) => void,
  ) {
    this.#plain = plain;
    this.#options = options;
    this.#accept = accept;
    this.#failed = failed;
    this.#timer = setTimeout(
      () => this.failed(new PlatformError("ETIMEDOUT", "TLS handshake took too long")),
      HANDSHAKE_MS,
    );
  }

  // `error` is what Bun thinks of the client's certificate, also when none was asked for.
  handshaken(socket: BunSocket, complete: boolean, error: Error | null): void {
    if (!complete || (error !== null && this.#options.clientAuth === "require")) {
      return this.failed(error ?? new PlatformError("EPROTO", "TLS handshake failed"));
    }
    if (!this.#settle()) return;
    this.#accept(new BunConnection(socket, true));
  }

  received(): void {}

  drained(): void {}

  failed(error: Error): void {
    if (!this.#settle()) return;
    this.#plain.data = nobody;
    this.#plain.terminate();
    this.#failed(platformError(error));
  }

  closed(error?: Error): void {
    this.failed(error ?? new PlatformError("ECONNRESET", "closed during the TLS handshake"));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    clearTimeout(this.#timer);
    return this.#settled = true;
  }
}
