import type { Connection, Listener, Logger, Platform, PlatformError, Timer } from "@rmq/platform";
import { type Answer, requestTable } from "@rmq/protocol";
import { Arrivals, type Arrived } from "./arrivals.ts";
import { Hub } from "./hub.ts";
import { Peer } from "./peer.ts";
import { TlsMaterial } from "./tls_material.ts";
import { type Handlers, RemotingError, type RemotingServer, type ServerOptions } from "./types.ts";

const BACKLOG = 1024;
const ACCEPT_AGAIN_MS = 1000;

/**
 * Listens on `options.port`, and on `options.fastPort` when given. Rejects with PlatformError (`EADDRINUSE` …) when a
 * port cannot be bound. (NettyRemotingServer)
 */
export async function startServer(platform: Platform, options: ServerOptions, logger: Logger): Promise<RemotingServer> {
  const server = new Server(platform, options, logger);
  await server.listen();
  return server;
}

/** A listener that ran out of descriptors. */
interface AcceptOutage {
  /** Between an error and the next try. */
  paused: boolean;
  /** Runs after a try; an error cancels it. */
  resumedTimer: Timer | null;
  /** When it began, -1: there is none. */
  sinceMs: number;
}

class Server implements RemotingServer {
  port = 0;
  fastPort: number | null = null;
  readonly #platform: Platform;
  readonly #options: ServerOptions;
  readonly #logger: Logger;
  readonly #hub: Hub;
  readonly #arrivals: Arrivals;
  readonly #listeners: Listener[] = [];
  readonly #maxConnections: number;
  #whenEmpty: (() => void) | null = null;
  #closed = false;

  constructor(platform: Platform, options: ServerOptions, logger: Logger) {
    const tls = options.tls ?? {};
    this.#platform = platform;
    this.#options = options;
    this.#logger = logger;
    this.#hub = new Hub(platform, options, logger);
    const material = new TlsMaterial(platform, tls, logger);
    this.#arrivals = new Arrivals({ platform, hub: this.#hub, mode: tls.mode ?? "permissive", material });
    this.#hub.sweepArrivals = (nowMs) => this.#arrivals.closeIdle(nowMs);
    this.#maxConnections = options.maxConnections ?? 65_536;
  }

  get connections(): ReadonlySet<Peer> {
    return this.#hub.peers;
  }

  get parkedBytes(): number {
    return this.#hub.parkedBytes;
  }

  get stats(): RemotingServer["stats"] {
    return this.#hub.stats;
  }

  release(): void {
    this.#hub.release();
  }

  refuseParked(answer: Answer): void {
    this.#hub.refuseParked(answer);
  }

  async listen(): Promise<void> {
    try {
      this.port = await this.#listenOn(this.#options.port, this.#options.handlers, false);
      const { fastPort } = this.#options;
      if (typeof fastPort === "number") {
        this.fastPort = await this.#listenOn(fastPort, fastHandlers(this.#options.handlers), true);
      }
    } catch (error) {
      this.stopAccepting();
      this.#hub.stop();
      throw error;
    }
  }

  async #listenOn(port: number, handlers: Handlers, fast: boolean): Promise<number> {
    const outage: AcceptOutage = { paused: false, resumedTimer: null, sinceMs: -1 };
    const listener: Listener = await this.#platform.net.listen(
      { host: this.#options.host, port, backlog: BACKLOG },
      (socket) => this.#accept(socket, handlers, fast),
      (error) => this.#pauseAccepting(listener, error, outage),
    );
    this.#listeners.push(listener);
    return listener.address.port;
  }

  /**
   * Out of descriptors: those who wait stay in the backlog until some are free again. Accepting is tried every second;
   * it goes on once a second has passed without another error.
   */
  #pauseAccepting(listener: Listener, error: PlatformError, outage: AcceptOutage): void {
    if (outage.paused) return;
    const { clock } = this.#platform;
    const { port } = listener.address;
    outage.paused = true;
    outage.resumedTimer?.cancel();
    if (outage.sinceMs < 0) {
      outage.sinceMs = this.#hub.nowMs();
      this.#logger.warn("accepting is paused", { port, code: error.code, againInMs: ACCEPT_AGAIN_MS });
    }
    listener.pause();
    clock.setTimer(ACCEPT_AGAIN_MS, () => {
      if (!this.#listeners.includes(listener)) return;
      outage.paused = false;
      listener.resume();
      outage.resumedTimer = clock.setTimer(ACCEPT_AGAIN_MS, () => {
        if (!this.#listeners.includes(listener)) return;
        const pausedMs = Math.round(this.#hub.nowMs() - outage.sinceMs);
        outage.sinceMs = -1;
        this.#logger.info("accepting goes on", { port, afterMs: pausedMs });
      });
    });
  }

  #accept(socket: Connection, handlers: Handlers, fast: boolean): void {
    this.#hub.stats.accepted++;
    if (this.#hub.peers.size + this.#arrivals.size >= this.#maxConnections) {
      this.#hub.stats.rejected++;
      this.#hub.quietLog.warn("closing a new connection: there are too many", { connections: this.#maxConnections });
      socket.handler = { data: () => {}, close: () => {} };
      socket.destroy();
      return;
    }
    this.#arrivals.add(socket, (arrived) => this.#arrived(arrived, handlers, fast));
  }

  #arrived(arrived: Arrived, handlers: Handlers, fast: boolean): void {
    const { proxied, proxyTlvs, rest } = arrived;
    // A TLS handshake may end after the server did.
    if (this.#closed) return arrived.socket.destroy();
    const peer = new Peer(this.#hub, arrived.socket, {
      handlers,
      fast,
      proxied,
      ...(proxyTlvs === undefined ? {} : { proxyTlvs }),
      closed: (gone) => this.#gone(gone),
    });
    this.#options.connected?.(peer);
    if (rest.length > 0) peer.data(rest);
  }

  #gone(peer: Peer): void {
    this.#options.disconnected?.(peer);
    if (this.#hub.peers.size === 0) this.#whenEmpty?.();
  }

  stopAccepting(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  async close(graceMs = 0): Promise<void> {
    this.#closed = true;
    this.stopAccepting();
    this.#arrivals.closeAll();
    this.#hub.stop();
    for (const peer of [...this.#hub.peers]) peer.close();
    if (graceMs > 0 && this.#hub.peers.size > 0) await this.#emptyWithin(graceMs);
    for (const peer of [...this.#hub.peers]) peer.destroy(new RemotingError("CLOSED", "the server was closed", true));
  }

  #emptyWithin(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#platform.clock.setTimer(graceMs, resolve);
      this.#whenEmpty = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

/** The VIP port serves everything but pulls, pops and polling. */
function fastHandlers(handlers: Handlers): Handlers {
  return new Map([...handlers].filter(([code]) => requestTable.get(code)?.fastPort !== false));
}
