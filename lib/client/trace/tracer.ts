import type { Timer } from "@rmq/platform";
import type { SendEvent } from "../hooks.ts";
import type { SendOptions } from "../producer/outgoing.ts";
import type { Producer } from "../producer/producer.ts";
import type { SendReceipt } from "../producer/receipt.ts";
import { publishText, storeHostOf, TracedType } from "./trace_text.ts";

/** Traces are sent when they have gathered for so long, ms. */
const GATHER_MS = 500;
/** … or have so many bytes (`AsyncTraceDispatcher.maxMsgSize`). */
const MOST_BYTES = 128_000;
/** Traces that wait beyond these are dropped: they must not cost the messages their memory. */
const MOST_WAITING = 2048;

interface Trace {
  readonly text: string;
  readonly keys: readonly string[];
}

/** Writes traces to their topic, gathered, behind the sends that they tell of. (AsyncTraceDispatcher) */
export class Tracer {
  readonly #producer: Producer;
  readonly #topic: string;
  #waiting: Trace[] = [];
  #bytes = 0;
  #timer: Timer | null = null;
  #dropped = 0;

  /** `producer` sends the traces; its own sends are not traced and call no hook. */
  constructor(producer: Producer, topic: string) {
    producer.observed = false;
    this.#producer = producer;
    this.#topic = topic;
  }

  /** Traces that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A send that ended. */
  sent(group: string, event: SendEvent, options: SendOptions, receipt: SendReceipt | null, startedMs: number): void {
    const { keys = "", tag = "" } = options;
    const keyText = typeof keys === "string" ? keys : keys.join(" ");
    const offsetMessageId = receipt?.offsetMessageId ?? "";
    const text = publishText({
      atMs: startedMs,
      group,
      message: {
        topic: event.topic,
        messageId: receipt?.messageId ?? "",
        tag,
        keys: keyText,
        storeHost: storeHostOf(offsetMessageId),
        bodyBytes: event.bodyBytes,
        offsetMessageId,
      },
      costMs: this.#producer.network.platform.clock.nowMs() - startedMs,
      messageType: typeOf(options),
      success: receipt?.status === "SEND_OK",
    });
    const own = keyText.split(" ").filter((key) => key !== "");
    this.add({ text, keys: receipt === null ? own : [receipt.messageId, ...own] });
  }

  /** A trace in Java's text; `keys` are what it can be found by. */
  add(trace: Trace): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(trace);
    this.#bytes += trace.text.length;
    if (this.#bytes >= MOST_BYTES) this.flush();
    else this.#timer ??= this.#producer.network.platform.clock.setTimer(GATHER_MS, () => void this.flush());
  }

  /** Sends what is gathered; resolves when it was answered. A failure is logged and the traces are lost. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    const traces = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (traces.length === 0) return;
    const keys = [...new Set(traces.flatMap((each) => each.keys))];
    try {
      await this.#producer.send(this.#topic, traces.map(({ text }) => text).join(""), { keys });
    } catch (error) {
      this.#dropped += traces.length;
      this.#producer.network.logger.warn("traces could not be written", { topic: this.#topic, error: String(error) });
    }
  }
}

function typeOf(options: SendOptions): number {
  const { delay, at, delayLevel } = options;
  return delay === undefined && at === undefined && delayLevel === undefined ? TracedType.NORMAL : TracedType.DELAY;
}
