import type { Logger } from "@rmq/platform";
import type { HookEnd, HookEnded, Hooks } from "../hooks.ts";
import type { ReceivedMessage } from "./received_message.ts";

/** What a handler is told besides the message. */
export interface WorkContext {
  /** Name of the consumer group. */
  readonly group: string;
  /** Aborted when the message has taken too long, or the worker ends without waiting for it any more. */
  readonly signal: AbortSignal;
}

/**
 * Works on one message. When it is through, the message is acknowledged, unless it has settled it otherwise; what it
 * throws lets the message come again, `Reject` sends it to the dead letters.
 */
export type Handler = (message: ReceivedMessage, context: WorkContext) => unknown;

/** Makes its signal when it is asked for. */
export class Context implements WorkContext {
  readonly group: string;
  #abort: AbortController | null = null;
  #aborted = false;

  constructor(group: string) {
    this.group = group;
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  /** Aborts it. */
  abort(): void {
    this.#aborted = true;
    this.#abort?.abort();
  }
}

const NOTHING: HookEnded = () => {};

/** Sees a message before it is given to the application; what it returns is called after. */
export type Watch = (message: ReceivedMessage, group: string) => HookEnded | null;

/** Calls hook and trace before a message is given to the application; returns what is to be called after. */
export function watched({ hooks, logger, trace }: Watching, message: ReceivedMessage, group: string): HookEnded {
  const hooked = hooks.receive === undefined ? null : calledHook(hooks.receive, logger, message, group);
  const traced = trace === null ? null : trace(message, group);
  if (hooked === null || traced === null) return hooked ?? traced ?? NOTHING;
  return (end) => {
    hooked(end);
    traced(end);
  };
}

/** Who sees messages. */
export interface Watching {
  readonly hooks: Hooks;
  readonly logger: Logger;
  readonly trace: Watch | null;
}

function calledHook(
  hook: NonNullable<Hooks["receive"]>,
  logger: Logger,
  message: ReceivedMessage,
  group: string,
): HookEnded | null {
  const failed = (error: unknown) => logger.error("a hook failed", { hook: "receive", error: String(error) });
  try {
    const ended = hook(message, group);
    if (ended === undefined) return null;
    return (end: HookEnd) => {
      try {
        ended(end);
      } catch (error) {
        failed(error);
      }
    };
  } catch (error) {
    failed(error);
    return null;
  }
}
