import type { ReceivedMessage } from "./consumer/received_message.ts";

/** What a send hook sees. */
export interface SendEvent {
  /** Without the namespace. */
  readonly topic: string;
  /** Properties of the message; a hook may add some, a trace parent for one. Those of a batch go nowhere. */
  readonly properties: Record<string, string>;
  /** Bytes of the body as it was given. */
  readonly bodyBytes: number;
  /** Messages in it: 1, or those of a batch. */
  readonly messages: number;
}

/** How a hooked call ended. */
export interface HookEnd {
  /** What it failed with; absent when it did well. */
  readonly error?: unknown;
  /** Id of the message, when it is known. */
  readonly messageId?: string;
}

/** Called when a hooked call ends. */
export type HookEnded = (end: HookEnd) => void;

/**
 * Functions around sends and around handlers. What they return is called at the end. A hook that throws is logged and
 * otherwise ignored.
 *
 * ```ts
 * import type { Hooks } from "@rmq/client";
 *
 * const hooks: Hooks = {
 *   send(event) {
 *     event.properties.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
 *     return ({ error }) => console.log(event.topic, error === undefined ? "sent" : "failed");
 *   },
 * };
 * ```
 */
export interface Hooks {
  /** Before a message or a batch is sent; one-way messages are not told of. */
  readonly send?: (event: SendEvent) => HookEnded | void;
  /** Before a message is given to a handler. */
  readonly receive?: (message: ReceivedMessage, group: string) => HookEnded | void;
}
