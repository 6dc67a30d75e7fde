import { type HeaderFields, RequestCode, ResponseCode } from "@rmq/protocol";
import { ClientError, expectSuccess } from "../client_error.ts";
import type { Network } from "../network/network.ts";
import type { MessageQueue } from "../network/route.ts";

/** Offset of the first message that is there. (31) */
export function minOffset(network: Network, queue: MessageQueue): Promise<number> {
  return offset(network, "the first offset", queue, RequestCode.GET_MIN_OFFSET, {});
}

/** Offset that the next message gets. (30) */
export function maxOffset(network: Network, queue: MessageQueue): Promise<number> {
  return offset(network, "the last offset", queue, RequestCode.GET_MAX_OFFSET, {});
}

/** Offset of the first message that was stored at or after `timestamp`, ms since 1970. (29) */
export function offsetAt(network: Network, queue: MessageQueue, timestamp: number): Promise<number> {
  return offset(network, "the offset of a time", queue, RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, { timestamp });
}

/**
 * What the group has committed in the queue, or null. (14) Without `onlyCommitted` brokers answer 0 for a queue that is
 * still complete, as Java's push consumer is answered.
 */
export async function committedOffset(
  network: Network,
  group: string,
  queue: MessageQueue,
  onlyCommitted: boolean,
): Promise<number | null> {
  const fields = {
    consumerGroup: group,
    ...fieldsOf(queue),
    ...(onlyCommitted ? { setZeroIfNotFound: false } : {}),
  };
  const response = await network.invoke(await readerOf(network, queue), {
    code: RequestCode.QUERY_CONSUMER_OFFSET,
    fields,
  });
  if (response.code === ResponseCode.QUERY_NOT_FOUND) return null;
  return offsetIn(expectSuccess(`the offset of ${group}`, response).fields.get("offset"));
}

/** Commits. (15) */
export async function commitOffset(network: Network, group: string, queue: MessageQueue, at: number): Promise<void> {
  const fields = { consumerGroup: group, ...fieldsOf(queue), commitOffset: at };
  const address = await readerOf(network, queue);
  expectSuccess(
    `a commit of ${group}`,
    await network.invoke(address, { code: RequestCode.UPDATE_CONSUMER_OFFSET, fields }),
  );
}

async function offset(
  network: Network,
  what: string,
  queue: MessageQueue,
  code: number,
  more: HeaderFields,
): Promise<number> {
  const fields = { ...fieldsOf(queue), ...more };
  const response = await network.invoke(await readerOf(network, queue), { code, fields });
  return offsetIn(expectSuccess(`${what} of ${queue.topic}`, response).fields.get("offset"));
}

function fieldsOf({ topic, brokerName, queueId }: MessageQueue): HeaderFields {
  return { topic, queueId, bname: brokerName };
}

/** Address of the master that has the queue; its route is looked up when it is not known. */
export function masterOf(network: Network, queue: MessageQueue): Promise<string> {
  return addressOf(network, queue, () => network.brokerAddress(queue.brokerName));
}

/** The same, or a slave when there is no master: slaves know offsets too. */
function readerOf(network: Network, queue: MessageQueue): Promise<string> {
  return addressOf(network, queue, () => network.readAddress(queue.brokerName));
}

async function addressOf(
  network: Network,
  { topic, brokerName }: MessageQueue,
  look: () => string | null,
): Promise<string> {
  const known = look();
  if (known !== null) return known;
  await network.routes.route(topic);
  const found = look();
  if (found !== null) return found;
  throw new ClientError("BROKER_UNREACHABLE", `broker ${brokerName} has no address`);
}

function offsetIn(text: string | null | undefined): number {
  const offset = Number(text ?? NaN);
  if (Number.isSafeInteger(offset)) return offset;
  throw new ClientError("BAD_ANSWER", `${text} is no offset`);
}
