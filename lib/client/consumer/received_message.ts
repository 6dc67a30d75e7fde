import { ClientError } from "../client_error.ts";
import type { Duration } from "../duration.ts";
import { Message, type MessageSource } from "../message.ts";

/** When a message is to come again. */
export interface RetryOptions {
  /** Not before so long from now: the broker's next longer delay level. @default longer from attempt to attempt */
  readonly delay?: Duration;
  /** One of the broker's delay levels, 1 … */
  readonly delayLevel?: number;
}

/** What becomes of a message. */
export type Outcome =
  | { readonly kind: "ack" }
  | { readonly kind: "retry"; readonly options: RetryOptions; readonly why?: unknown }
  | { readonly kind: "reject"; readonly why?: unknown };

/** Who delivered a message and is told what becomes of it. */
export interface Owner {
  /** Called once for each message; never rejects but for outcomes that make no sense. */
  settle(message: ReceivedMessage, outcome: Outcome): Promise<void>;
}

/**
 * Throw it in a handler for a message that no retry will help: it goes to the dead letters of the group (`%DLQ%group`).
 *
 * ```ts
 * import { type ReceivedMessage, Reject } from "@rmq/client";
 *
 * function handle(message: ReceivedMessage) {
 *   if (message.text() === "") throw new Reject("an empty order");
 * }
 * ```
 */
export class Reject extends Error {
  /** The class of the error. */
  override readonly name = "Reject";
}

/**
 * Throw it in a handler to say when the message is to come again; every other error leaves that to the broker.
 *
 * ```ts
 * import { Retry } from "@rmq/client";
 *
 * function handle() {
 *   throw new Retry("the bank is closed", { delay: "1h" });
 * }
 * ```
 */
export class Retry extends Error {
  /** The class of the error. */
  override readonly name = "Retry";
  /** When. */
  readonly options: RetryOptions;
  /** See the fields. */
  constructor(message: string, options: RetryOptions = {}) {
    super(message);
    this.options = options;
  }
}

const ACK: Outcome = { kind: "ack" };

/** A message that a consumer got, and that is to be settled once: by `ack`, `retry` or `reject`. */
export class ReceivedMessage extends Message {
  /** Which delivery of it this is: 1 for the first. */
  attempt: number;
  /** Whether it was acknowledged, sent back or rejected. */
  settled = false;
  readonly #owner: Owner;
  #settling: Promise<void> | null = null;

  /**
   * Made by consumers.
   * @ignore
   */
  constructor(
    topic: string,
    body: Uint8Array,
    properties: Uint8Array | ReadonlyMap<string, string>,
    source: MessageSource,
    owner: Owner,
  ) {
    super(topic, body, properties, source);
    this.attempt = source.reconsumeTimes + 1;
    this.#owner = owner;
  }

  /** It is done with. Brokers hear of it with the next commit of offsets; a message may come twice, never not at all. */
  ack(): Promise<void> {
    return this.#settle(ACK);
  }

  /** It is to come again later, to any member of the group; beyond its last attempt it goes to the dead letters. */
  retry(options: RetryOptions = {}): Promise<void> {
    return this.#settle({ kind: "retry", options });
  }

  /** It goes to the dead letters of the group. */
  reject(why?: string): Promise<void> {
    return this.#settle({ kind: "reject", ...(why === undefined ? {} : { why }) });
  }

  /**
   * What a handler threw: `Reject`, `Retry`, or anything else for a retry.
   * @ignore
   */
  failed(error: unknown): Promise<void> {
    if (error instanceof Reject) return this.#settle({ kind: "reject", why: error });
    return this.#settle({ kind: "retry", options: error instanceof Retry ? error.options : {}, why: error });
  }

  /**
   * Delivered again after an outcome that could not be carried out.
   * @ignore
   */
  again(): void {
    this.#settling = null;
    this.attempt++;
  }

  /** Only the first outcome counts. */
  #settle(outcome: Outcome): Promise<void> {
    return this.#settling ??= this.#owner.settle(this, outcome);
  }
}

/** Throws ClientError `BAD_ARGUMENT` for a topic or a group that no broker takes. */
export function checkName(what: string, name: string): string {
  if (/^[%|\w-]{1,255}$/.test(name)) return name;
  throw new ClientError("BAD_ARGUMENT", `"${name}" is no ${what}`);
}
