import type { Logger, Platform } from "@rmq/platform";
import {
  createClient,
  type Handler,
  type PeerRequest,
  type RemotingClient,
  type RemotingConnection,
  type Response,
} from "@rmq/remoting";
import { asClientError, ClientError } from "../client_error.ts";
import type { ResolvedOptions } from "../options.ts";
import { signed } from "../signature.ts";
import { throwIfAborted, unlessAborted } from "../waiting.ts";
import { Heartbeats } from "./heartbeats.ts";
import { NameServers } from "./name_servers.ts";
import type { CallOptions, Network } from "./network.ts";
import { RouteTable } from "./route_table.ts";

/** Written in frames as the language; every server since 4.0 knows it. (LanguageCode.OTHER) */
export const LANGUAGE = 7;

/** The network of one client, over one RemotingClient. (MQClientInstance) */
export class RemotingNetwork implements Network {
  readonly platform: Platform;
  readonly clientId: string;
  readonly options: ResolvedOptions;
  readonly logger: Logger;
  readonly nameServers: NameServers;
  readonly routes: RouteTable;
  readonly heartbeat: Heartbeats;
  closed = false;
  readonly #remoting: RemotingClient;
  readonly #handlers = new Map<number, Handler>();
  readonly #closers = new Set<() => Promise<void>>();

  constructor(platform: Platform, clientId: string, options: ResolvedOptions, logger: Logger) {
    this.platform = platform;
    this.clientId = clientId;
    this.options = options;
    this.logger = logger;
    this.#remoting = createClient(platform, {
      handlers: this.#handlers,
      ...(options.tls === null ? {} : { tls: options.tls }),
      connectTimeoutMs: options.requestTimeoutMs,
      onDisconnect: (address) => this.heartbeat.disconnected(address),
    }, logger);
    const ask = (address: string, request: PeerRequest, timeoutMs: number) =>
      this.invoke(address, request, { timeoutMs });
    this.nameServers = new NameServers(platform, options.nameServers, ask, logger);
    this.heartbeat = new Heartbeats({
      platform,
      logger,
      clientId,
      periodMs: options.heartbeatMs,
      timeoutMs: options.requestTimeoutMs,
      invoke: ask,
      addresses: (slavesToo) => this.brokerAddresses(slavesToo),
    });
    this.routes = new RouteTable({
      platform,
      logger,
      nameServers: this.nameServers,
      timeoutMs: options.requestTimeoutMs,
      pollMs: options.pollNameServerMs,
      changed: () => this.heartbeat.sendToNew(),
    });
  }

  async invoke(address: string, request: PeerRequest, call: CallOptions = {}): Promise<Response> {
    if (this.closed) throw closedError();
    throwIfAborted(call.signal);
    const timeoutMs = call.timeoutMs ?? this.options.requestTimeoutMs;
    const asked = this.#remoting.request(address, this.#prepared(request), timeoutMs);
    try {
      return await unlessAborted(asked, call.signal);
    } catch (error) {
      throw this.#translated(error);
    }
  }

  async oneway(address: string, request: PeerRequest): Promise<void> {
    if (this.closed) throw closedError();
    try {
      await this.#remoting.oneway(address, this.#prepared(request));
    } catch (error) {
      throw this.#translated(error);
    }
  }

  askNameServer(request: PeerRequest, call: CallOptions = {}): Promise<Response> {
    if (this.closed) return Promise.reject(closedError());
    const asked = this.nameServers.ask(request, call.timeoutMs ?? this.options.requestTimeoutMs, call.signal);
    return unlessAborted(asked, call.signal);
  }

  connected(address: string): RemotingConnection | null {
    return this.#remoting.connected(address);
  }

  async connection(address: string): Promise<RemotingConnection> {
    if (this.closed) throw closedError();
    try {
      return await this.#remoting.connection(address);
    } catch (error) {
      throw this.#translated(error);
    }
  }

  /** Closes the connection to an address, so that the next request makes a new one. */
  disconnect(address: string): void {
    this.#remoting.disconnect(address);
  }

  brokerAddress(brokerName: string, brokerId: number = 0): string | null {
    return this.routes.brokers.get(brokerName)?.addresses.get(brokerId) ?? null;
  }

  readAddress(brokerName: string, preferredId: number = 0): string | null {
    const addresses = this.routes.brokers.get(brokerName)?.addresses;
    if (addresses === undefined) return null;
    const [anyOne] = addresses.values();
    return addresses.get(preferredId) ?? addresses.get(0) ?? anyOne ?? null;
  }

  async brokerVersion(address: string): Promise<number> {
    const known = this.heartbeat.version(address);
    if (known !== null && known > 0) return known;
    await this.heartbeat.sendNow(address);
    return this.heartbeat.version(address) ?? 0;
  }

  brokerAddresses(slavesToo: boolean = false): string[] {
    const all = new Set<string>();
    for (const { addresses } of this.routes.brokers.values()) {
      for (const [id, address] of addresses) if (id === 0 || slavesToo) all.add(address);
    }
    return [...all];
  }

  serve(code: number, handler: Handler): void {
    this.#handlers.set(code, handler);
  }

  onClose(run: () => Promise<void>): () => void {
    this.#closers.add(run);
    return () => void this.#closers.delete(run);
  }

  /** Runs what was registered with `onClose`, tells brokers, and closes all connections. Never rejects. */
  async close(): Promise<void> {
    if (this.closed) return;
    const closers = [...this.#closers];
    const ends = await Promise.allSettled(closers.map((run) => run()));
    for (const end of ends) {
      if (end.status === "rejected") this.logger.error("a part did not close well", { error: String(end.reason) });
    }
    this.routes.close();
    await this.heartbeat.close();
    this.closed = true;
    this.#remoting.close();
  }

  #prepared(request: PeerRequest): PeerRequest {
    const own = { language: LANGUAGE, ...request };
    const { credentials } = this.options;
    return credentials === null ? own : signed(own, credentials, this.platform.hashing);
  }

  #translated(error: unknown): unknown {
    return this.closed ? closedError() : asClientError(error);
  }
}

/** The error of every call after `close`. */
export function closedError(): ClientError {
  return new ClientError("CLOSED", "the client is closed");
}
