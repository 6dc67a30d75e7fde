import type { Logger, Platform, TlsClientOptions } from "@rmq/platform";
import { ClientError } from "./client_error.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { Hooks } from "./hooks.ts";

/** How a client connects and behaves. All of it is optional. */
export interface ConnectOptions {
  /** TLS to name servers and brokers; `true` trusts whom the runtime trusts. @default false */
  readonly tls?: boolean | TlsClientOptions;
  /** Who signs the requests; with `secretKey`. (AclClientRPCHook) */
  readonly accessKey?: string;
  /** What the requests are signed with. */
  readonly secretKey?: string;
  /** A token of temporary credentials. */
  readonly securityToken?: string;
  /** Prefixed to topics and groups on the wire (`namespace%topic`) and taken off what is received. */
  readonly namespace?: string;
  /** Identity towards brokers, unique per client of a group. @default `ip@pid#random` */
  readonly clientId?: string;
  /** Middle part of a client id that is made up: `ip@instanceName`. */
  readonly instanceName?: string;
  /** Last part of a client id that is made up: `ip@instance@unitName`. */
  readonly unitName?: string;
  /** Group that plain sends and replies go under. @default "rmq-client" */
  readonly producerGroup?: string;
  /** Aborting it makes `connect` reject and closes nothing that is connected already. */
  readonly signal?: AbortSignal;
  /** Time for one answer. @default "3s" */
  readonly requestTimeout?: Duration;
  /** Time for a send with all its retries. @default "10s" */
  readonly sendTimeout?: Duration;
  /** Further tries of a send that may succeed on another queue. @default 2 */
  readonly sendRetries?: number;
  /** How often routes are looked up again. @default "30s" */
  readonly pollNameServerInterval?: Duration;
  /** How often brokers hear of our groups. @default "30s" */
  readonly heartbeatInterval?: Duration;
  /** Bodies from so many bytes on are compressed; Infinity: never. @default 4096 */
  readonly compressFrom?: number;
  /** Avoids brokers that answered late or not at all for a while (`sendLatencyFaultEnable`). @default true */
  readonly avoidSlowBrokers?: boolean;
  /** Gathers sends to one topic into batches for so long (`autoBatch`); 0: not at all. @default 0 */
  readonly linger?: Duration;
  /** A gathered batch of so many bytes is not held any longer. @default 32768 */
  readonly lingerBytes?: number;
  /** Bytes of a message's body, and of a batch, that brokers take. @default 4 MiB */
  readonly maxMessageBytes?: number;
  /** Bytes of sends without an answer, after which further ones are refused with `TOO_MANY_PENDING`. @default 256 MiB */
  readonly maxPendingSendBytes?: number;
  /** Where the client says what an operator should know. @default says nothing */
  readonly logger?: Logger;
  /** Called around sends and around handlers, for OpenTelemetry spans and the like. */
  readonly hooks?: Hooks;
  /** Message traces as Java's clients write them, to `RMQ_SYS_TRACE_TOPIC` or another topic. @default false */
  readonly trace?: boolean | { readonly topic: string };
  /**
   * The machine to run on; the one that this process runs on by default. For tests.
   * @ignore
   */
  readonly platform?: Platform;
}

/** The options with their defaults, times in milliseconds. */
export interface ResolvedOptions {
  /** `host:port` of the name servers, at least one. */
  readonly nameServers: readonly string[];
  /** TLS to every peer when present. */
  readonly tls: TlsClientOptions | null;
  /** Signs requests when present. */
  readonly credentials: Credentials | null;
  /** Empty: none. */
  readonly namespace: string;
  /** See `ConnectOptions`. */
  readonly unitName: string;
  /** See `ConnectOptions`; without the namespace. */
  readonly producerGroup: string;
  /** ms */
  readonly requestTimeoutMs: number;
  /** ms */
  readonly sendTimeoutMs: number;
  /** Further tries. */
  readonly sendRetries: number;
  /** ms */
  readonly pollNameServerMs: number;
  /** ms */
  readonly heartbeatMs: number;
  /** Bytes; Infinity: never. */
  readonly compressFrom: number;
  /** See `ConnectOptions`. */
  readonly avoidSlowBrokers: boolean;
  /** ms; 0: batches are not gathered. */
  readonly lingerMs: number;
  /** Bytes. */
  readonly lingerBytes: number;
  /** Bytes. */
  readonly maxMessageBytes: number;
  /** Bytes. */
  readonly maxPendingSendBytes: number;
  /** See `ConnectOptions`. */
  readonly hooks: Hooks;
  /** Topic for traces, null: none are written. */
  readonly traceTopic: string | null;
}

/** Who we are, for signatures. */
export interface Credentials {
  /** `AccessKey`. */
  readonly accessKey: string;
  /** Key of the HMAC. */
  readonly secretKey: string;
  /** `SecurityToken`, when there is one. */
  readonly securityToken: string | null;
}

/** Apache's topic for traces. */
const TRACE_TOPIC = "RMQ_SYS_TRACE_TOPIC";
const MIB = 1024 * 1024;

/** Fills in defaults. Throws ClientError `BAD_ARGUMENT`. */
export function resolveOptions(nameServers: readonly string[], options: ConnectOptions): ResolvedOptions {
  const duration = (name: keyof ConnectOptions, initial: Duration): number =>
    milliseconds((options[name] as Duration | undefined) ?? initial, name);
  const { tls, trace } = options;
  return {
    nameServers,
    tls: tls === undefined || tls === false ? null : tls === true ? {} : tls,
    credentials: credentialsOf(options),
    namespace: options.namespace ?? "",
    unitName: options.unitName ?? "",
    producerGroup: options.producerGroup ?? "rmq-client",
    requestTimeoutMs: duration("requestTimeout", "3s"),
    sendTimeoutMs: duration("sendTimeout", "10s"),
    sendRetries: count("sendRetries", options.sendRetries ?? 2),
    pollNameServerMs: duration("pollNameServerInterval", "30s"),
    heartbeatMs: duration("heartbeatInterval", "30s"),
    compressFrom: options.compressFrom ?? 4096,
    avoidSlowBrokers: options.avoidSlowBrokers ?? true,
    lingerMs: duration("linger", 0),
    lingerBytes: count("lingerBytes", options.lingerBytes ?? 32_768),
    maxMessageBytes: count("maxMessageBytes", options.maxMessageBytes ?? 4 * MIB),
    maxPendingSendBytes: count("maxPendingSendBytes", options.maxPendingSendBytes ?? 256 * MIB),
    hooks: options.hooks ?? {},
    traceTopic: trace === undefined || trace === false ? null : trace === true ? TRACE_TOPIC : trace.topic,
  };
}

function count(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ClientError("BAD_ARGUMENT", `${name} is no count: ${value}`);
}

function credentialsOf(options: ConnectOptions): Credentials | null {
  const { accessKey, secretKey, securityToken } = options;
  if (accessKey === undefined && secretKey === undefined) return null;
  if (!accessKey || !secretKey) {
    throw new ClientError("BAD_ARGUMENT", "accessKey and secretKey come together");
  }
  return { accessKey, secretKey, securityToken: securityToken ?? null };
}
