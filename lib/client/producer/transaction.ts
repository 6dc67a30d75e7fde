import { Fields, type Header, parseOffsetMessageId, RequestCode, SysFlag } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { ClientError, expectSuccess } from "../client_error.ts";
import type { Body } from "../codecs.ts";
import { type Message, readMessages } from "../message.ts";
import { withNamespace } from "../namespace.ts";
import { BackOff } from "../network/back_off.ts";
import type { RemotingNetwork } from "../network/remoting_network.ts";
import type { UniqueIds } from "../unique_id.ts";
import { sleep } from "../waiting.ts";
import type { CallLimits, MessageOptions, QueueChoice } from "./outgoing.ts";
import { Producer, type SendObserver } from "./producer.ts";
import type { SendReceipt } from "./receipt.ts";

/** How a local transaction ended: its message is delivered, is not, or the broker is to ask again. */
export type TransactionOutcome = "commit" | "rollback" | "unknown";

/** Says how the local transaction of a message ended, when its broker asks; `"unknown"` to be asked again. */
export type TransactionCheck = (message: Message) => TransactionOutcome | Promise<TransactionOutcome>;

/** What a local transaction is told of its message, which is stored and not delivered yet. */
export interface TransactionContext {
  /** The message's unique id, for the application to keep with what it does. */
  readonly messageId: string;
  /** The broker's id of the transaction. */
  readonly transactionId: string;
}

/** How a message is sent in a transaction. */
export interface TransactionOptions extends MessageOptions, CallLimits, QueueChoice {
  /** Group of producers that know about each other's transactions. @default `ConnectOptions.producerGroup` */
  readonly group?: string;
  /** Asked when the broker does not know how it ended, also of transactions of other members of the group. */
  readonly check: TransactionCheck;
}

/** What became of a transaction. */
export interface TransactionReceipt extends SendReceipt {
  /** What the broker has been told; `"unknown"` when it could not be told: it will ask. */
  readonly outcome: TransactionOutcome;
}

const CODES: Readonly<Record<TransactionOutcome, number>> = {
  commit: SysFlag.TRANSACTION_COMMIT,
  rollback: SysFlag.TRANSACTION_ROLLBACK,
  unknown: SysFlag.TRANSACTION_NOT,
};
/** Checks that run at a time; the broker asks again for those beyond. */
const MOST_CHECKS = 256;
const FIELD = Fields.CHECK_TRANSACTION_STATE;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1000;

interface Group {
  readonly producer: Producer;
  check: TransactionCheck;
}

/** Which half message a broker is told or asks about. */
interface Half {
  readonly group: string;
  readonly topic: string;
  readonly brokerName: string;
  readonly queueOffset: number;
  readonly logOffset: number;
  readonly messageId: string;
  readonly transactionId: string;
}

/** Messages that are delivered when a local transaction has committed. (TransactionMQProducer) */
export class Transactions {
  readonly #network: RemotingNetwork;
  readonly #uniqueIds: UniqueIds;
  /** By group with the namespace. */
  readonly #groups = new Map<string, Group>();
  readonly #observer: SendObserver | null;
  #checking = 0;

  constructor(network: RemotingNetwork, uniqueIds: UniqueIds, observer: SendObserver | null) {
    this.#network = network;
    this.#observer = observer;
    this.#uniqueIds = uniqueIds;
    network.serve(RequestCode.CHECK_TRANSACTION_STATE, (header, connection) => this.#asked(header, connection));
  }

  /** Says who answers for the group's transactions, and tells all known brokers of the group. */
  async checks(group: string | undefined, check: TransactionCheck): Promise<void> {
    const { options, heartbeat } = this.#network;
    const wire = withNamespace(options.namespace, group ?? options.producerGroup);
    const known = this.#groups.get(wire);
    if (known !== undefined) {
      known.check = check;
      return;
    }
    const producer = new Producer(this.#network, this.#uniqueIds, wire);
    producer.observer = this.#observer;
    this.#groups.set(wire, { producer, check });
    heartbeat.setProducer(wire);
    await heartbeat.sendNow();
  }

  /** Resolves when half messages that are on their way have been answered. */
  async drain(): Promise<void> {
    await Promise.all([...this.#groups.values()].map(({ producer }) => producer.drain()));
  }

  /** See `RocketMQ.transaction`. */
  async send(
    topic: string,
    body: Body,
    run: (context: TransactionContext) => Promise<TransactionOutcome | void> | TransactionOutcome | void,
    options: TransactionOptions,
  ): Promise<TransactionReceipt> {
    await this.checks(options.group, options.check);
    const { namespace, producerGroup } = this.#network.options;
    const group = withNamespace(namespace, options.group ?? producerGroup);
    const { producer } = this.#groups.get(group) as Group;
    const receipt = await producer.send(topic, body, options, {
      properties: `TRAN_MSG\x01true\x02PGROUP\x01${group}\x02`,
      sysFlag: SysFlag.TRANSACTION_PREPARED,
    });
    const half: Half = {
      group,
      topic: producer.topic(topic).wire,
      brokerName: receipt.queue.brokerName,
      queueOffset: receipt.offset,
      logOffset: parseOffsetMessageId(receipt.offsetMessageId).offset,
      messageId: receipt.messageId,
      transactionId: receipt.transactionId ?? receipt.messageId,
    };
    const outcome = await this.#run(half, receipt, run);
    return { ...receipt, outcome: await this.#end(half, outcome, false) ? outcome : "unknown" };
  }

  /**
   * A half message that is not safe yet is rolled back before anything is done. What `run` throws says nothing of what
   * it has done before: the broker will ask.
   */
  async #run(
    { messageId, transactionId }: Half,
    { status }: SendReceipt,
    run: (context: TransactionContext) => Promise<TransactionOutcome | void> | TransactionOutcome | void,
  ): Promise<TransactionOutcome> {
    if (status !== "SEND_OK") return "rollback";
    return await run({ messageId, transactionId }) ?? "commit";
  }

  /** Tells the broker; false when it could not be told. (endTransaction) */
  async #end(half: Half, outcome: TransactionOutcome, fromCheck: boolean): Promise<boolean> {
    if (outcome === "unknown") return true;
    const network = this.#network;
    const request = {
      code: RequestCode.END_TRANSACTION,
      fields: {
        topic: half.topic,
        producerGroup: half.group,
        tranStateTableOffset: half.queueOffset,
        commitLogOffset: half.logOffset,
        commitOrRollback: CODES[outcome],
        fromTransactionCheck: fromCheck,
        msgId: half.messageId,
        transactionId: half.transactionId,
        bname: half.brokerName,
      },
    };
    const { clock, random } = network.platform;
    const untilMs = clock.monotonicUs() / 1000 + network.options.sendTimeoutMs;
    const pauses = new BackOff(random, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    for (;;) {
      try {
        const address = network.brokerAddress(half.brokerName);
        if (address === null) throw new ClientError("BROKER_UNREACHABLE", `${half.brokerName} has no address`);
        expectSuccess("the end of a transaction", await network.invoke(address, request));
        return true;
      } catch (error) {
        const pauseMs = pauses.nextMs();
        const lasting = !(error instanceof ClientError) || !error.retriable || error.responseCode !== undefined;
        if (lasting || clock.monotonicUs() / 1000 + pauseMs > untilMs) {
          network.logger.warn("a broker was not told how a transaction ended; it will ask", {
            messageId: half.messageId,
            error: String(error),
          });
          return false;
        }
        await sleep(clock, pauseMs);
      }
    }
  }

  /** 39: what is kept of the frame is a copy. (ClientRemotingProcessor.checkTransactionState) */
  #asked(header: Header, connection: RemotingConnection): void {
    if (this.#checking >= MOST_CHECKS) return;
    const body = header.bytes.slice(header.bodyStart, header.bodyEnd);
    const { namespace } = this.#network.options;
    const brokerName = header.text(FIELD.bname) ?? this.#brokerOf(connection);
    const [message] = readMessages(body, { brokerName, namespace });
    const group = message?.properties.get("PGROUP");
    const known = group === undefined ? undefined : this.#groups.get(group);
    if (message === undefined || group === undefined || known === undefined) return;
    const half: Half = {
      group,
      topic: message.source.queue.topic,
      brokerName,
      queueOffset: header.long(FIELD.tranStateTableOffset, message.offset),
      logOffset: header.long(FIELD.commitLogOffset, message.source.physicalOffset),
      messageId: message.messageId,
      transactionId: header.text(FIELD.transactionId) ?? message.messageId,
    };
    void this.#check(known.check, message, half);
  }

  async #check(check: TransactionCheck, message: Message, half: Half): Promise<void> {
    this.#checking++;
    try {
      await this.#end(half, await check(message), true);
    } catch (error) {
      this.#network.logger.warn("the check of a transaction failed; the broker will ask again", {
        messageId: half.messageId,
        error: String(error),
      });
    } finally {
      this.#checking--;
    }
  }

  #brokerOf(connection: RemotingConnection): string {
    for (const [name, { addresses }] of this.#network.routes.brokers) {
      for (const address of addresses.values()) if (this.#network.connected(address) === connection) return name;
    }
    return "";
  }
}
