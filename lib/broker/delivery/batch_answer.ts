import { offsetMessageId, type Output, ResponseCode, writeAnswer } from "@rmq/protocol";

/** What the answer to a 320 tells (remoting sheet §11.5): the ids of all inner messages, the first one's queue offset. */
export interface BatchAnswer {
  readonly storeHost: Uint8Array;
  readonly storePort: number;
  readonly queueId: number;
  /** Queue offset of the first inner message. */
  readonly queueOffset: number;
  /** Physical offsets of all inner messages. */
  readonly offsets: readonly number[];
  /** Unique key of the batch message; absent for clients that send none. */
  readonly transactionId: string | null;
  readonly fields: Record<string, string>;
}

/** Encodes the success answer of a batch. */
export function writeBatchAnswer(out: Output, opaque: number, batch: BatchAnswer): void {
  const ids = batch.offsets.map((offset) => offsetMessageId(batch.storeHost, batch.storePort, offset));
  writeAnswer(out, opaque, {
    code: ResponseCode.SUCCESS,
    fields: {
      ...batch.fields,
      msgId: ids.join(","),
      queueId: batch.queueId,
      queueOffset: batch.queueOffset,
      transactionId: batch.transactionId,
    },
  });
}
