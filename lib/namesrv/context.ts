import type { Platform } from "@rmq/platform";
import { type Header, ResponseCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import type { KvConfig } from "./kv_config.ts";
import type { RouteTable } from "./route_table.ts";
import type { SameHost } from "./same_host.ts";
import type { NamesrvSettings } from "./settings.ts";
import type { DurableFile } from "./durable_file.ts";
import type { TopicLists } from "./topic_lists.ts";

/** What the requests of one name server work on. */
export interface Context {
  readonly platform: Platform;
  settings: NamesrvSettings;
  readonly settingsFile: DurableFile | null;
  readonly table: RouteTable;
  readonly kv: KvConfig;
  readonly lists: TopicLists;
  readonly sameHost: SameHost;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}

/** A request's function; a throw is answered with 1. */
export type Serve = (context: Context, header: Header, connection: RemotingConnection) => void;

/** A required field that is not there, or not what it should be. */
export class MissingFieldError extends Error {
  override readonly name = "MissingFieldError";
  readonly code = "MISSING_FIELD";
  constructor(field: string) {
    super(`the request has no ${field}`);
  }
}

export function nowMs(context: Context): number {
  return context.platform.clock.monotonicUs() / 1000;
}

export function bodyOf(header: Header): Uint8Array {
  return header.bytes.subarray(header.bodyStart, header.bodyEnd);
}

export function answerBody(connection: RemotingConnection, opaque: number, body: Uint8Array): void {
  connection.answer(opaque, { code: ResponseCode.SUCCESS, body });
}

export function answerOk(connection: RemotingConnection, opaque: number): void {
  connection.answer(opaque, { code: ResponseCode.SUCCESS });
}

export function answerError(connection: RemotingConnection, opaque: number, code: number, remark: string): void {
  connection.answer(opaque, { code, remark });
}
