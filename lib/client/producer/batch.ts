import { encodeBatch, type InnerMessage, RequestCode } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import { encodeBody } from "../codecs.ts";
import type { CallLimits, OutgoingMessage, QueueChoice } from "./outgoing.ts";
import { ownProperties } from "./outgoing.ts";
import type { Producer } from "./producer.ts";
import type { SendReceipt } from "./receipt.ts";

/** Bytes at which a batch is sent, unless a single message is larger. */
const BATCH_BYTES = 1024 * 1024;
/** Messages at which a batch is sent. */
const BATCH_MESSAGES = 1000;
/** Batches without an answer at a time; one where order matters. */
const IN_FLIGHT = 4;
/** What an inner message costs besides body and properties, bytes. */
const FRAMING = 22;

/** How a batch is sent. */
export interface BatchOptions extends CallLimits, QueueChoice {
  /** Bytes of one request, 1 MiB at most. @default 1 MiB */
  readonly batchBytes?: number;
}

const encoder = new TextEncoder();

/** A message of a batch with its id. */
export interface Inner extends InnerMessage {
  readonly messageId: string;
  readonly bytes: number;
}

/** A message as it stands in a batch. */
export function innerMessage(producer: Producer, message: OutgoingMessage): Inner {
  const body = encodeBody(message.body);
  producer.checkBody(body);
  const messageId = producer.uniqueIds.next(producer.network.platform.clock.nowMs());
  const properties = encoder.encode(`UNIQ_KEY\x01${messageId}\x02${ownProperties(message)}`);
  if (properties.length > 0x7fff) {
    throw new ClientError("MESSAGE_ILLEGAL", `${properties.length} bytes of properties, of ${0x7fff}`);
  }
  return { messageId, flag: message.flag ?? 0, body, properties, bytes: FRAMING + body.length + properties.length };
}

/** Sends messages as one request of code 320; a receipt for each. (MessageBatch) */
export async function sendInner(
  producer: Producer,
  topic: string,
  inner: readonly Inner[],
  options: BatchOptions,
): Promise<SendReceipt[]> {
  const body = encodeBatch(inner);
  const send = () =>
    new Promise<SendReceipt>((resolve, reject) => {
      const plan = producer.plan(topic, body, options, { code: RequestCode.SEND_BATCH_MESSAGE });
      producer.start(plan, resolve, reject);
    });
  const event = { topic, properties: {}, bodyBytes: body.length, messages: inner.length };
  const receipt = await (producer.isWatched ? producer.watch(event, {}, send) : send());
  const offsetIds = receipt.offsetMessageId.split(",");
  return inner.map(({ messageId }, i) => ({
    ...receipt,
    messageId,
    offsetMessageId: offsetIds[i] ?? "",
    offset: receipt.offset + i,
    transactionId: messageId,
  }));
}

/** Sends all messages, in batches; receipts in the order of the messages. The first batch that fails rejects. */
export async function sendBatch(
  producer: Producer,
  topic: string,
  messages: Iterable<OutgoingMessage> | AsyncIterable<OutgoingMessage>,
  options: BatchOptions = {},
): Promise<SendReceipt[]> {
  const most = Math.min(options.batchBytes ?? BATCH_BYTES, BATCH_BYTES, producer.network.options.maxMessageBytes);
  const inFlight = options.orderBy === undefined && options.queue === undefined ? IN_FLIGHT : 1;
  const sent: Promise<SendReceipt[]>[] = [];
  let gathered: Inner[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    if (gathered.length === 0) return;
    const batch = sendInner(producer, topic, gathered, options);
    // Looked at below; until then a failure is not lost but waits.
    batch.catch(() => {});
    sent.push(batch);
    gathered = [];
    bytes = 0;
    if (sent.length >= inFlight) await sent[sent.length - inFlight];
  };
  for await (const message of messages) {
    const inner = innerMessage(producer, message);
    if (bytes + inner.bytes > most) await send();
    gathered.push(inner);
    bytes += inner.bytes;
    if (gathered.length >= BATCH_MESSAGES) await send();
  }
  await send();
  return (await Promise.all(sent)).flat();
}
