import type { Address, Connection, Platform } from "@rmq/platform";
import type { Hub } from "./hub.ts";
import { plainBytes } from "./plain_bytes.ts";
import { type ProxyPreamble, readProxyPreamble } from "./proxy_protocol.ts";
import type { TlsMaterial } from "./tls_material.ts";

const TLS_HANDSHAKE_RECORD = 0x16;
const NOTHING = new Uint8Array(0);

/** A connection whose first bytes have been looked at; `rest` follows the preamble and is already decrypted. */
export interface Arrived {
  readonly socket: Connection;
  readonly proxied: Address | null;
  readonly proxyTlvs: ReadonlyMap<string, string> | undefined;
  readonly rest: Uint8Array;
}

/** What an arrival needs to know of its server. */
export interface ArrivalsOptions {
  readonly platform: Platform;
  readonly hub: Hub;
  readonly mode: "disabled" | "permissive" | "enforcing";
  readonly material: TlsMaterial;
}

/**
 * Connections whose first bytes have not been seen yet: one small object each, without a buffer until a preamble
 * is cut in two. PROXY protocol, then TLS or plain (remoting.md §6.1).
 */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #waiting = new Map<Connection, number>();
  #handshakes = 0;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** Connections that are not peers yet. */
  get size(): number {
    return this.#waiting.size + this.#handshakes;
  }

  add(socket: Connection, arrived: (arrived: Arrived) => void): void {
    this.#waiting.set(socket, this.#options.hub.nowMs());
    let seen: Uint8Array = NOTHING;
    socket.handler = {
      data: (chunk) => {
        const bytes = seen.length === 0 ? plainBytes(chunk) : joined(seen, chunk);
        if (this.#look(socket, bytes, arrived) === "more") seen = seen.length === 0 ? bytes.slice() : bytes;
      },
      close: () => this.#waiting.delete(socket),
    };
  }

  closeIdle(nowMs: number): void {
    for (const [socket, sinceMs] of this.#waiting) {
      if (nowMs - sinceMs >= this.#options.hub.idleMs) this.#drop(socket);
    }
  }

  closeAll(): void {
    for (const socket of [...this.#waiting.keys()]) this.#drop(socket);
  }

  #drop(socket: Connection): void {
    this.#waiting.delete(socket);
    socket.destroy();
  }

  #look(socket: Connection, bytes: Uint8Array, arrived: (arrived: Arrived) => void): "more" | "done" {
    const preamble = readProxyPreamble(bytes);
    if (preamble === "more") return "more";
    if (preamble === "bad") {
      this.#refuse(socket, "closing a connection with an unreadable PROXY preamble");
      return "done";
    }
    const found = preamble === "none" ? null : preamble;
    const rest = found === null ? bytes : bytes.subarray(found.length);
    if (rest.length === 0) return "more";
    this.#decide(socket, found, rest, arrived);
    return "done";
  }

  #decide(
    socket: Connection,
    found: ProxyPreamble | null,
    rest: Uint8Array,
    arrived: (arrived: Arrived) => void,
  ): void {
    const { mode, material } = this.#options;
    const proxied = found?.source ?? null;
    const proxyTlvs = found?.tlvs;
    if (rest[0] !== TLS_HANDSHAKE_RECORD) {
      if (mode === "enforcing") return this.#refuse(socket, "closing a plain connection: tls.server.mode is enforcing");
      this.#waiting.delete(socket);
      return arrived({ socket, proxied, proxyTlvs, rest });
    }
    if (mode === "disabled") return this.#refuse(socket, "closing a TLS connection: tls.server.mode is disabled");
    const certificate = material.current();
    if (certificate === null) return this.#drop(socket);
    this.#waiting.delete(socket);
    this.#handshakes++;
    const { platform, hub } = this.#options;
    const { remote } = socket;
    platform.net.startTls(socket, rest.slice(), certificate, (secure) => {
      this.#handshakes--;
      arrived({ socket: secure, proxied, proxyTlvs, rest: NOTHING });
    }, (error) => {
      this.#handshakes--;
      hub.quietLog.warn("a TLS handshake failed", { peer: remote.host, error: error.message });
    });
  }

  #refuse(socket: Connection, reason: string): void {
    this.#options.hub.quietLog.warn(reason, { peer: socket.remote.host });
    this.#drop(socket);
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
