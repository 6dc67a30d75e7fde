import type { Connection, Logger, Platform } from "@rmq/platform";
import { parseAddress } from "./address.ts";
import { Hub } from "./hub.ts";
import { Peer } from "./peer.ts";
import {
  type ClientOptions,
  type Handlers,
  type PeerRequest,
  type RemotingClient,
  RemotingError,
  type Response,
} from "./types.ts";

const NO_HANDLERS: Handlers = new Map();
const MAX_PENDING = 65_535;
/** A shorter time without an answer says nothing about the connection. (MIN_CLOSE_TIMEOUT_MILLIS) */
const MIN_CLOSE_TIMEOUT_MS = 100;

/** A client that connects on first use. (NettyRemotingClient) */
export function createClient(platform: Platform, options: ClientOptions, logger: Logger): RemotingClient {
  return new Client(platform, options, logger);
}

class Client implements RemotingClient {
  readonly #platform: Platform;
  readonly #options: ClientOptions;
  readonly #hub: Hub;
  readonly #peers = new Map<string, Peer>();
  readonly #connecting = new Map<string, Promise<Peer>>();
  #closed = false;

  constructor(platform: Platform, options: ClientOptions, logger: Logger) {
    this.#platform = platform;
    this.#options = options;
    this.#hub = new Hub(platform, { maxPendingRequestsPerConnection: MAX_PENDING, ...options }, logger);
  }

  connection(address: string): Promise<Peer> {
    const peer = this.#peers.get(address);
    if (peer !== undefined && !peer.closed) return Promise.resolve(peer);
    let connecting = this.#connecting.get(address);
    if (connecting === undefined) {
      connecting = this.#connect(address).finally(() => this.#connecting.delete(address));
      this.#connecting.set(address, connecting);
    }
    return connecting;
  }

  connected(address: string): Peer | null {
    const peer = this.#peers.get(address);
    return peer === undefined || peer.closed ? null : peer;
  }

  async #connect(address: string): Promise<Peer> {
    if (this.#closed) throw closedError();
    const { host, port } = parseAddress(address);
    const { tls, connectTimeoutMs: timeoutMs = 3000 } = this.#options;
    let socket: Connection;
    try {
      socket = await this.#platform.net.connect({ host, port, timeoutMs, ...(tls === undefined ? {} : { tls }) });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RemotingError("CONNECT_FAILED", `cannot connect to ${address}: ${reason}`, true);
    }
    const peer = new Peer(this.#hub, socket, {
      handlers: this.#options.handlers ?? NO_HANDLERS,
      closed: (gone) => this.#gone(address, gone),
    });
    if (this.#closed) {
      peer.close();
      throw closedError();
    }
    this.#peers.set(address, peer);
    return peer;
  }

  #gone(address: string, peer: Peer): void {
    if (this.#peers.get(address) === peer) this.#peers.delete(address);
    this.#options.onDisconnect?.(address);
  }

  async request(address: string, request: PeerRequest, timeoutMs: number): Promise<Response> {
    const peer = this.#peers.get(address);
    if (peer !== undefined && !peer.closed) return this.#ask(peer, request, timeoutMs);
    const startedMs = this.#hub.nowMs();
    const fresh = await this.#within(this.connection(address), address, timeoutMs);
    return this.#ask(fresh, request, timeoutMs - (this.#hub.nowMs() - startedMs));
  }

  /**
   * Whoever does not answer in time may be gone without a word, and every request after this one would wait as long:
   * the next one gets a new connection. (`clientCloseSocketIfTimeout`, invokeSync)
   */
  async #ask(peer: Peer, request: PeerRequest, timeoutMs: number): Promise<Response> {
    try {
      return await peer.request(request, timeoutMs);
    } catch (error) {
      const timedOut = error instanceof RemotingError && error.code === "TIMEOUT";
      if (timedOut && timeoutMs > MIN_CLOSE_TIMEOUT_MS && !peer.closed) {
        peer.destroy(new RemotingError("CLOSED", `${peer.peerText} did not answer in time`, true));
      }
      throw error;
    }
  }

  async oneway(address: string, request: PeerRequest): Promise<void> {
    (await this.connection(address)).oneway(request);
  }

  #within(connecting: Promise<Peer>, address: string, timeoutMs: number): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const timer = this.#platform.clock.setTimer(timeoutMs, () => {
        reject(new RemotingError("TIMEOUT", `no connection to ${address} in ${timeoutMs} ms`, true));
      });
      connecting.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  disconnect(address: string): void {
    this.#peers.get(address)?.close();
  }

  close(): void {
    this.#closed = true;
    for (const peer of [...this.#peers.values()]) peer.close();
    this.#hub.stop();
  }
}

function closedError(): RemotingError {
  return new RemotingError("CLOSED", "the client is closed", false);
}
