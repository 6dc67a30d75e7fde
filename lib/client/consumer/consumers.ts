import { Fields, type Header, objectKeys, RequestCode, ResponseCode, toJson } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { ClientError } from "../client_error.ts";
import { readMessagesAs } from "../message.ts";
import type { Network } from "../network/network.ts";
import { type ConsumerStatus, consumerStatus } from "./consumer_status.ts";
import type { Watch } from "./handler.ts";
import type { PushConsumer } from "./push_consumer.ts";
import { ReceivedMessage } from "./received_message.ts";
import { resetOffsets } from "./reset_offsets.ts";
import { runningInfo } from "./running_info.ts";

const encoder = new TextEncoder();
/** Messages of operators that are being consumed at a time. */
const MOST_DIRECT = 64;

/** The consumers of one client by group, and what brokers ask of them. (ClientRemotingProcessor) */
export class Consumers {
  readonly network: Network;
  /** Sees what is consumed, when traces are wanted. */
  readonly trace: Watch | null;
  readonly #byGroup = new Map<string, PushConsumer>();
  #direct = 0;

  constructor(network: Network, trace: Watch | null) {
    this.network = network;
    this.trace = trace;
    network.serve(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, (header) => this.#membersChanged(header));
    network.serve(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, (header) => this.#reset(header));
    network.serve(
      RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT,
      (header, connection) => this.#status(header, connection),
    );
    network.serve(RequestCode.GET_CONSUMER_RUNNING_INFO, (header, connection) => this.#runningInfo(header, connection));
    network.serve(RequestCode.CONSUME_MESSAGE_DIRECTLY, (header, connection) => this.#consume(header, connection));
  }

  /** Starts a consumer; one for each group. Rejects with ClientError. */
  async start(consumer: PushConsumer, signal?: AbortSignal): Promise<void> {
    const { group, groupName } = consumer.spec;
    if (this.network.closed) throw new ClientError("CLOSED", "the client is closed");
    if (this.#byGroup.has(group)) {
      throw new ClientError("BAD_ARGUMENT", `group ${groupName} has a consumer in this client; another needs its own`);
    }
    this.#byGroup.set(group, consumer);
    try {
      await consumer.start(signal);
    } catch (error) {
      await this.end(consumer, 0);
      throw error;
    }
  }

  /** What each is doing now. */
  get status(): ConsumerStatus[] {
    return [...this.#byGroup.values()].map(consumerStatus);
  }

  /** Closes one. Never rejects. */
  async end(consumer: PushConsumer, drainMs: number): Promise<void> {
    await consumer.close(drainMs);
    if (this.#byGroup.get(consumer.spec.group) === consumer) this.#byGroup.delete(consumer.spec.group);
  }

  /** Closes all. Never rejects. */
  async close(drainMs: number): Promise<void> {
    await Promise.all([...this.#byGroup.values()].map((consumer) => this.end(consumer, drainMs)));
  }

  /** 40 */
  #membersChanged(header: Header): void {
    const group = header.text(Fields.NOTIFY_CONSUMER_IDS_CHANGED.consumerGroup);
    void this.#byGroup.get(group ?? "")?.rebalance();
  }

  /** 220 */
  #reset(header: Header): void {
    const F = Fields.RESET_CONSUMER_CLIENT_OFFSET;
    const topic = header.text(F.topic);
    const consumer = this.#byGroup.get(header.text(F.group) ?? "");
    if (topic === null || consumer === undefined) return;
    const body = header.bytes.slice(header.bodyStart, header.bodyEnd);
    void consumer.reset(resetOffsets(topic, body));
  }

  /** 221 */
  #status(header: Header, connection: RemotingConnection): void {
    const F = Fields.GET_CONSUMER_STATUS_FROM_CLIENT;
    const consumer = this.#byGroup.get(header.text(F.group) ?? "");
    const offsets = consumer?.offsets(header.text(F.topic) ?? undefined) ?? [];
    const messageQueueTable = objectKeys(
      offsets.map(({ queue: { brokerName, queueId, topic }, offset }) =>
        [{ brokerName, queueId, topic }, offset] as const
      ),
    );
    const body = encoder.encode(toJson({ messageQueueTable }));
    connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body });
  }

  /** 307 */
  #runningInfo(header: Header, connection: RemotingConnection): void {
    const group = header.text(Fields.GET_CONSUMER_RUNNING_INFO.consumerGroup) ?? "";
    const consumer = this.#byGroup.get(group);
    if (consumer === undefined) return connection.answer(header.opaque, unknownGroup(group));
    const body = encoder.encode(runningInfo(this.network, consumer));
    connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body });
  }

  /** 309 */
  #consume(header: Header, connection: RemotingConnection): void {
    const F = Fields.CONSUME_MESSAGE_DIRECTLY;
    const group = header.text(F.consumerGroup) ?? "";
    const consumer = this.#byGroup.get(group);
    if (consumer === undefined) return connection.answer(header.opaque, unknownGroup(group));
    if (this.#direct >= MOST_DIRECT) {
      const remark = `${this.#direct} messages are being consumed directly`;
      return connection.answer(header.opaque, { code: ResponseCode.SYSTEM_BUSY, remark });
    }
    const { dispatch, spec } = consumer;
    const owner = {
      settle: (message: ReceivedMessage, outcome: Parameters<typeof dispatch.settledDirectly>[1]) => {
        dispatch.settledDirectly(message, outcome);
        return Promise.resolve();
      },
    };
    const from = { brokerName: header.text(F.brokerName) ?? "", namespace: this.network.options.namespace };
    const [message] = readMessagesAs(
      header.bytes.slice(header.bodyStart, header.bodyEnd),
      from,
      (topic, body, properties, source) => new ReceivedMessage(topic, body, properties, source, owner),
    );
    const later = connection.later(header);
    const { clock } = this.network.platform;
    const startedMs = clock.nowMs();
    this.#direct++;
    void dispatch.direct(message).finally(() => this.#direct--).then((end) => {
      const body = encoder.encode(toJson({
        autoCommit: true,
        consumeResult: end.result,
        order: spec.ordered,
        remark: "remark" in end ? end.remark : null,
        spentTimeMills: clock.nowMs() - startedMs,
      }));
      later.answer({ code: ResponseCode.SUCCESS, body });
    });
  }
}

function unknownGroup(group: string): { code: number; remark: string } {
  return { code: ResponseCode.SYSTEM_ERROR, remark: `The Consumer Group <${group}> not exist in this consumer` };
}
