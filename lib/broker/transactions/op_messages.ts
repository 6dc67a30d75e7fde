import type { Clock, Timer } from "@rmq/platform";
import { encodeProperty, MessageDraft, OP_TOPIC } from "@rmq/protocol";
import { AppendStatus } from "@rmq/store";
import type { BrokerState } from "../state.ts";
import { TRANSACTION_QUEUE } from "./half_message.ts";
import { opBody, REMOVE_TAG } from "./op_body.ts";

/** How long an op message that the store is too busy for waits. */
const BUSY_RETRY_MS = 20;

/** Told how the op message of one half message fared: an AppendStatus (0: on disk), and its offset in the op queue. */
export type OpDone = (status: number, opOffset: number) => void;

/**
 * Writes down that half messages have ended: one op message for all that ended in a turn of the loop. Apache gathers for
 * three seconds in memory, and a crash then forgets what was answered.
 */
export class OpMessages {
  readonly #clock: Clock;
  readonly #draft = new MessageDraft();
  #offsets: number[] = [];
  #dones: OpDone[] = [];
  #scheduled = false;
  #retry: Timer | null = null;
  readonly #flush = (): void => this.#write();

  constructor(
    private readonly state: Pick<BrokerState, "platform" | "topics" | "put" | "settings" | "storeHost" | "storePort">,
  ) {
    this.#clock = state.platform.clock;
    const properties = [encodeProperty("TAGS", REMOVE_TAG), encodeProperty("WAIT", "true")];
    for (const pair of properties) this.#draft.properties.appendEncoded(pair);
    this.#draft.bornHost = state.storeHost;
    this.#draft.bornPort = state.storePort;
  }

  /** The half message at queue offset `offset` has ended. */
  add(offset: number, done: OpDone): void {
    this.#offsets.push(offset);
    this.#dones.push(done);
    if (this.#scheduled || this.#retry !== null) return;
    this.#scheduled = true;
    this.#clock.afterTurn(this.#flush);
  }

  close(): void {
    this.#retry?.cancel();
  }

  #write(): void {
    this.#scheduled = false;
    const topic = this.state.topics.get(OP_TOPIC);
    if (topic === null) throw new Error(`there is no topic ${OP_TOPIC}`);
    const draft = this.#draft;
    draft.bornTimestamp = this.#clock.nowMs();
    while (this.#offsets.length > 0) {
      const count = this.#countOfNext();
      const dones = this.#dones.slice(0, count);
      draft.body = opBody(this.#offsets.slice(0, count));
      draft.bodyEnd = draft.body.length;
      let refused: number = AppendStatus.OK;
      let returned = false;
      this.state.put.put(draft, topic, TRANSACTION_QUEUE, false, (status, _physical, opOffset) => {
        if (!returned && status !== AppendStatus.OK) refused = status;
        else for (const done of dones) done(status, opOffset);
      });
      returned = true;
      if (refused === AppendStatus.BUSY) return this.#later();
      this.#offsets.splice(0, count);
      this.#dones.splice(0, count);
      if (refused !== AppendStatus.OK) { for (const done of dones) done(refused, -1); }
    }
  }

  #later(): void {
    this.#retry = this.#clock.setTimer(BUSY_RETRY_MS, () => {
      this.#retry = null;
      this.#write();
    });
  }

  /** How many offsets fit into one message (`transactionOpMsgMaxSize`). */
  #countOfNext(): number {
    let length = 0;
    for (let i = 0; i < this.#offsets.length; i++) {
      length += String(this.#offsets[i]).length + 1;
      if (i > 0 && length > this.state.settings.transactionOpMsgMaxSize) return i;
    }
    return this.#offsets.length;
  }
}
