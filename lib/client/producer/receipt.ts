import type { MessageQueue } from "../network/route.ts";

/** How safe a stored message was when the broker answered. (SendStatus) */
export type SendStatus = "SEND_OK" | "FLUSH_DISK_TIMEOUT" | "FLUSH_SLAVE_TIMEOUT" | "SLAVE_NOT_AVAILABLE";

/** What a broker said of a stored message. */
export interface SendReceipt {
  /** The message's unique id; of a batch its messages' ids, joined by commas. */
  readonly messageId: string;
  /** Id that names the broker and the position in its log. */
  readonly offsetMessageId: string;
  /** Where it was stored. */
  readonly queue: MessageQueue;
  /** Offset in the queue; of the first message of a batch. */
  readonly offset: number;
  /** The broker's id of a transaction, or null. */
  readonly transactionId: string | null;
  /** Whether all that was asked for was done; it is stored in any case. */
  readonly status: SendStatus;
  /** What `recall` takes for a delayed message, or null. */
  readonly recallHandle: string | null;
}
