import type { Logger } from "@rmq/platform";
import {
  encodeStored,
  HALF_TOPIC,
  KnownProperty,
  type MessageDraft,
  offsetMessageId,
  RequestCode,
  type StoredMessage,
  storedSize,
} from "@rmq/protocol";
import type { PeerRequest, RemotingConnection } from "@rmq/remoting";
import type { BrokerState } from "../state.ts";
import { hideFirstCopy } from "./first_copy.ts";

/** A producer that has left so much unread is not asked: it would only fall further behind. */
const MAX_UNREAD_BYTES = 1024 * 1024;

const encoder = new TextEncoder();

/** A question to the producers of a group, ready to be sent. */
export interface CheckRequest {
  readonly group: string;
  readonly request: PeerRequest;
}

/** Asks producers how a transaction ended: 39, one-way (`AbstractTransactionalMessageCheckListener`). */
export class CheckRequests {
  #next = 0;

  constructor(
    private readonly state: Pick<BrokerState, "clients" | "settings" | "storeHost" | "storePort">,
    private readonly logger: Logger,
  ) {}

  /**
   * The question about a half message that was just stored again from `draft`, whose text it holds under the topic and the
   * queue that it was sent to. The draft is changed. null: no producer of its group is here, or it names none.
   */
  make(draft: MessageDraft, old: StoredMessage): CheckRequest | null {
    const { properties } = draft;
    const group = properties.text(KnownProperty.PGROUP);
    if (group === null || this.state.clients.producers(group) === null) return null;
    const { storeHost, storePort, settings } = this.state;
    const uniqueKey = properties.text(KnownProperty.UNIQ_KEY);
    properties.set(KnownProperty.WAIT, "false");
    hideFirstCopy(properties);
    draft.topic = encoder.encode(properties.text(KnownProperty.REAL_TOPIC) ?? "");
    draft.queueId = Number(properties.text(KnownProperty.REAL_QID) ?? 0) | 0;
    draft.storeTimestamp = old.storeTimestamp;
    const body = new Uint8Array(storedSize(draft));
    encodeStored(draft, body, 0);
    const fields = {
      topic: HALF_TOPIC,
      tranStateTableOffset: draft.queueOffset,
      commitLogOffset: draft.physicalOffset,
      msgId: uniqueKey,
      transactionId: uniqueKey,
      offsetMsgId: offsetMessageId(storeHost, storePort, draft.physicalOffset),
      bname: settings.brokerName,
    };
    return { group, request: { code: RequestCode.CHECK_TRANSACTION_STATE, fields, body } };
  }

  /** Sends it to one of the group's producers, another one each time. */
  send({ group, request }: CheckRequest): void {
    const producers = this.state.clients.producers(group);
    const connections = producers === null ? [] : [...producers.keys()];
    for (let i = 0; i < connections.length; i++) {
      const connection = connections[this.#next++ % connections.length];
      if (isReady(connection)) return connection.oneway(request);
    }
    this.logger.warn("a transaction can't be checked: no producer of its group is ready", { group });
  }
}

function isReady(connection: RemotingConnection): boolean {
  return !connection.closed && connection.bufferedBytes + connection.out.length <= MAX_UNREAD_BYTES;
}
