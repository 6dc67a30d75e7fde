import { MAX_FRAME_LENGTH, ResponseCode } from "@rmq/protocol";
import type { Later } from "@rmq/remoting";
import { answerSliced } from "./answer_sliced.ts";
import { inSlices } from "./in_slices.ts";
import type { BrokerState } from "./state.ts";

/** Leaves room in a frame for its header. */
const MAX_ANSWER_BYTES = MAX_FRAME_LENGTH - 65536;
/** Queues of one topic that an answer lists; a topic's set-up can name any number of them. */
const MAX_LISTED_QUEUES = 65536;

/**
 * Answers with `before`, the rows of all items joined by commas, and `after`: rows that have to be waited for, as the
 * store is asked for each of them. An answer that no frame can hold becomes code 1.
 */
export function answerRows<T>(
  state: BrokerState,
  later: Later,
  items: Iterable<T>,
  row: (item: T) => Promise<string>,
  before: string,
  after: string,
): void {
  const parts: string[] = [before];
  let length = 0;
  inSlices(state.platform.clock, items, async (item) => {
    const text = await row(item);
    length += text.length + 1;
    if (length > MAX_ANSWER_BYTES) throw new RangeError(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(parts.length === 1 ? text : `,${text}`);
  }).then(
    () => {
      parts.push(after);
      answerSliced(state, later, parts.values(), null);
    },
    (error) => later.answer({ code: ResponseCode.SYSTEM_ERROR, remark: String(error) }),
  );
}

/** The queue ids of a topic that is set up with so many queues. */
export function* queueIds(count: number): IterableIterator<number> {
  const end = Math.min(count, MAX_LISTED_QUEUES);
  for (let queueId = 0; queueId < end; queueId++) yield queueId;
}
