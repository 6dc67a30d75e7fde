/** Helpers of the store's tests: small stores on a simulated or a real disk, and messages to put in. */
import type { Logger, Platform } from "@rmq/platform";
import { MessageDraft, StoredMessage } from "@rmq/protocol";
import type { GetResult } from "./get.ts";
import { openStore } from "./open_store.ts";
import { defaultStoreOptions, type StoreOptions } from "./options.ts";
import { AppendStatus, type Store } from "./store.ts";

/** A logger that keeps what it is told. */
export class KeptLog implements Logger {
  readonly lines: string[] = [];
  info(message: string, fields?: Record<string, unknown>): void {
    this.#keep("info", message, fields);
  }
  warn(message: string, fields?: Record<string, unknown>): void {
    this.#keep("warn", message, fields);
  }
  error(message: string, fields?: Record<string, unknown>): void {
    this.#keep("error", message, fields);
  }
  has(pattern: RegExp): boolean {
    return this.lines.some((line) => pattern.test(line));
  }
  #keep(level: string, message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  }
}

export const ROOT = "/data/store";

/** Options of a store with small files. */
export function smallOptions(changes: Partial<StoreOptions> = {}): StoreOptions {
  return {
    ...defaultStoreOptions(ROOT),
    segmentBytes: 64 * 1024,
    consumeQueueFileBytes: 2000,
    maxHashSlotNum: 100,
    maxIndexNum: 400,
    ...changes,
  };
}

export function openSmall(
  platform: Platform,
  changes: Partial<StoreOptions> = {},
  log = new KeptLog(),
): Promise<Store> {
  return openStore(platform, smallOptions(changes), log);
}

const encoder = new TextEncoder();

/** A message as the broker would hand it to the store. */
export function draftOf(topic: string, queueId: number, body: string | Uint8Array, properties = ""): MessageDraft {
  const draft = new MessageDraft();
  draft.topic = encoder.encode(topic);
  draft.queueId = queueId;
  draft.body = typeof body === "string" ? encoder.encode(body) : body;
  draft.bodyEnd = draft.body.length;
  draft.bornTimestamp = 1_700_000_000_000;
  draft.bornHost = new Uint8Array([10, 0, 0, 9]);
  draft.bornPort = 5000;
  const text = encoder.encode(properties);
  draft.properties.readText(text, 0, text.length);
  return draft;
}

/** Appends one message that must be taken; returns its physical and its queue offset. */
export function put(
  store: Store,
  topic: string,
  queueId: number,
  body: string | Uint8Array,
  properties = "",
): { physical: number; offset: number } {
  const draft = draftOf(topic, queueId, body, properties);
  const status = store.append(draft, store.queue(topic, queueId));
  if (status !== AppendStatus.OK) throw new Error(`append answered ${status}: ${store.refusal}`);
  return { physical: draft.physicalOffset, offset: draft.queueOffset };
}

/** What a test compares of a stored message. */
export interface Seen {
  readonly offset: number;
  readonly physical: number;
  readonly size: number;
  readonly body: string;
  readonly storeTimestamp: number;
}

/** One read; the result is copied out. */
export function getOnce(
  store: Store,
  topic: string,
  queueId: number,
  offset: number,
): Promise<{ status: number; next: number; found: Seen[] }> {
  return new Promise((resolve) => {
    store.get({
      queue: store.queue(topic, queueId),
      offset,
      maxCount: 32,
      maxBytes: 262_144,
      tags: null,
      matches: null,
    }, (result) => resolve({ status: result.status, next: result.nextBeginOffset, found: seenIn(result) }));
  });
}

/** All messages of a queue from its first on. */
export async function readQueue(store: Store, topic: string, queueId: number): Promise<Seen[]> {
  const queue = store.queue(topic, queueId);
  const all: Seen[] = [];
  for (let offset = queue.min; offset < queue.max;) {
    const { status, next, found } = await getOnce(store, topic, queueId, offset);
    if (found.length === 0) throw new Error(`${topic}@${queueId} at ${offset}: status ${status}`);
    all.push(...found);
    offset = next;
  }
  return all;
}

function seenIn(result: GetResult): Seen[] {
  const message = new StoredMessage();
  const found: Seen[] = [];
  for (let i = 0; i < result.pieces; i++) {
    for (let at = result.starts[i]; at < result.ends[i]; at += message.size) {
      if (message.parse(result.buffers[i], at, result.ends[i], true) <= 0) throw new Error("an entry does not parse");
      found.push({
        offset: message.queueOffset,
        physical: message.physicalOffset,
        size: message.size,
        body: new TextDecoder().decode(message.bytes.subarray(message.bodyStart, message.bodyEnd)),
        storeTimestamp: message.storeTimestamp,
      });
    }
  }
  return found;
}
