import { offsetMessageId, StoredMessage, SysFlag } from "@rmq/protocol";
import { ClientError } from "./client_error.ts";
import { type Codec, decodeText } from "./codecs.ts";
import { decompress } from "./compression.ts";
import { withoutNamespace } from "./namespace.ts";
import type { MessageQueue } from "./network/route.ts";

/** Where a message comes from, as the broker stored it. */
export interface MessageSource {
  /** With the namespace. */
  readonly queue: MessageQueue;
  /** Offset in its queue. */
  readonly offset: number;
  /** ms since 1970, by the producer's clock. */
  readonly bornAt: number;
  /** ms since 1970, by the broker's clock. */
  readonly storedAt: number;
  /** Deliveries that failed before this one. */
  readonly reconsumeTimes: number;
  /** Position in the broker's commit log, bytes. */
  readonly physicalOffset: number;
  /** `MessageSysFlag` bits. */
  readonly sysFlag: number;
  /** The user's flag. */
  readonly flag: number;
  /** Id that names host and position. */
  readonly offsetMessageId: string;
  /** Where a half message stands, 0 for others. */
  readonly preparedTransactionOffset: number;
}

const UNIQ_KEY = "UNIQ_KEY";

/**
 * A message that was received.
 *
 * ```ts
 * import type { Message } from "@rmq/client";
 *
 * function show(message: Message): string {
 *   const order = message.json<{ id: number }>();
 *   return `${message.messageId} ${message.tag}: order ${order.id}`;
 * }
 * ```
 */
export class Message {
  /** Without the namespace. */
  readonly topic: string;
  /** Where it comes from. */
  readonly source: MessageSource;
  readonly #stored: Uint8Array;
  #body: Uint8Array | null = null;
  readonly #propertyText: Uint8Array | ReadonlyMap<string, string>;
  #properties: ReadonlyMap<string, string> | null = null;

  /** `body` as it is stored; `properties` as text (`name 0x01 value 0x02 …`) or read. */
  constructor(
    topic: string,
    body: Uint8Array,
    properties: Uint8Array | ReadonlyMap<string, string>,
    source: MessageSource,
  ) {
    this.topic = topic;
    this.#stored = body;
    this.#propertyText = properties;
    this.source = source;
  }

  /** All properties by name. */
  get properties(): ReadonlyMap<string, string> {
    const text = this.#propertyText;
    return this.#properties ??= text instanceof Uint8Array ? readProperties(decodeText(text)) : text;
  }

  /** The producer's unique id (`UNIQ_KEY`), else the id that names host and position. */
  get messageId(): string {
    return this.properties.get(UNIQ_KEY) ?? this.source.offsetMessageId;
  }

  /** Its tag, or null. */
  get tag(): string | null {
    return this.properties.get("TAGS") ?? null;
  }

  /** Its keys. */
  get keys(): readonly string[] {
    return this.properties.get("KEYS")?.split(" ").filter((key) => key !== "") ?? [];
  }

  /** What `orderBy` was, or null. */
  get orderBy(): string | null {
    return this.properties.get("__SHARDINGKEY") ?? null;
  }

  /** The queue that it was read from; its topic without the namespace when the message has none. */
  get queue(): MessageQueue {
    return this.source.queue;
  }

  /** Offset in its queue. */
  get offset(): number {
    return this.source.offset;
  }

  /** Bytes as they are stored, compressed ones too. */
  get storedBytes(): number {
    return this.#stored.length;
  }

  /** The body, decompressed. Throws ClientError `BAD_BODY` or `NOT_SUPPORTED`. */
  get body(): Uint8Array {
    return this.#body ??= decompress(this.#stored, this.source.sysFlag);
  }

  /** The body as UTF-8 text. */
  text(): string {
    return decodeText(this.body);
  }

  /** The body as JSON. Throws ClientError `BAD_BODY`. */
  json<T = unknown>(): T {
    try {
      return JSON.parse(this.text()) as T;
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      throw new ClientError("BAD_BODY", `message ${this.messageId} is no JSON`, { cause });
    }
  }

  /** The body as the codec reads it. Throws ClientError `BAD_BODY`. */
  decode<T>(codec: Codec<T>): T {
    const { body } = this;
    try {
      return codec.decode(body);
    } catch (cause) {
      throw new ClientError("BAD_BODY", `message ${this.messageId} is not what its codec reads`, { cause });
    }
  }
}

/** Property text as a map; pairs without a name or a value are left out. (MessageDecoder.string2messageProperties) */
export function readProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\x02", at);
    const pairEnd = end < 0 ? text.length : end;
    const separator = text.indexOf("\x01", at);
    if (separator > at && separator < pairEnd - 1) {
      properties.set(text.slice(at, separator), text.slice(separator + 1, pairEnd));
    }
    at = pairEnd + 1;
  }
  return properties;
}

/** Where messages were read from. */
export interface ReadFrom {
  /** Broker group that answered. */
  readonly brokerName: string;
  /** The client's namespace; empty: none. */
  readonly namespace: string;
}

/** Makes the object of a message that was read; `properties` as text. */
export type MakeMessage<M> = (topic: string, body: Uint8Array, properties: Uint8Array, source: MessageSource) => M;

/**
 * The messages of an answer to a pull, a query or a check, in order; bodies and properties are views of `bytes`.
 * Throws ClientError `BAD_ANSWER` for bytes that are no messages.
 */
export function readMessages(bytes: Uint8Array, from: ReadFrom): Message[] {
  return readMessagesAs(bytes, from, (topic, body, properties, source) => new Message(topic, body, properties, source));
}

/** The same, as objects of the caller's making. */
export function readMessagesAs<M>(bytes: Uint8Array, from: ReadFrom, make: MakeMessage<M>): M[] {
  const stored = new StoredMessage();
  const messages: M[] = [];
  let queue: MessageQueue | null = null;
  for (let at = 0; at < bytes.length;) {
    const size = stored.parse(bytes, at, bytes.length, false);
    if (size <= 0) throw new ClientError("BAD_ANSWER", `no message at byte ${at} of ${bytes.length}`);
    const wireTopic: string = stored.topicText();
    if (queue === null || queue.topic !== wireTopic || queue.queueId !== stored.queueId) {
      queue = { topic: wireTopic, brokerName: from.brokerName, queueId: stored.queueId };
    }
    messages.push(make(
      withoutNamespace(from.namespace, queue.topic),
      bytes.subarray(stored.bodyStart, stored.bodyEnd),
      bytes.subarray(stored.propertiesStart, stored.propertiesEnd),
      new StoredSource(stored, queue),
    ));
    at += size;
  }
  return messages;
}

/** Keeps the position instead of the text of the offset message id, which is rarely asked for. */
class StoredSource implements MessageSource {
  readonly queue: MessageQueue;
  readonly offset: number;
  readonly bornAt: number;
  readonly storedAt: number;
  readonly reconsumeTimes: number;
  readonly physicalOffset: number;
  readonly sysFlag: number;
  readonly flag: number;
  readonly preparedTransactionOffset: number;
  readonly #storeHost: Uint8Array;
  readonly #storePort: number;

  constructor(stored: StoredMessage, queue: MessageQueue) {
    this.queue = queue;
    this.offset = stored.queueOffset;
    this.bornAt = stored.bornTimestamp;
    this.storedAt = stored.storeTimestamp;
    this.reconsumeTimes = stored.reconsumeTimes;
    this.physicalOffset = stored.physicalOffset;
    this.sysFlag = stored.sysFlag & ~(SysFlag.BORN_HOST_V6 | SysFlag.STORE_HOST_V6);
    this.flag = stored.flag;
    this.preparedTransactionOffset = stored.preparedTransactionOffset;
    this.#storeHost = stored.bytes.subarray(stored.storeHostStart, stored.storeHostEnd);
    this.#storePort = stored.storePort;
  }

  get offsetMessageId(): string {
    return offsetMessageId(this.#storeHost, this.#storePort, this.physicalOffset);
  }
}
