import { HALF_TOPIC, KnownProperty, type MessageDraft, type Properties, SysFlag } from "@rmq/protocol";
import { COMPLETE, type Rewriter } from "../delivery/rewriters.ts";
import type { TopicTable } from "../topics/topic_table.ts";

/** The group whose offsets in both topics say how far transactions were looked through (`CID_RMQ_SYS_TRANS`). */
export const TRANSACTION_GROUP = "CID_RMQ_SYS_TRANS";

/** Half messages and op messages lie in one queue each. */
export const TRANSACTION_QUEUE = 0;

/** Whether TRAN_MSG says true. */
export function isTransactional(properties: Properties): boolean {
  return properties.has(KnownProperty.TRAN_MSG) && properties.text(KnownProperty.TRAN_MSG)?.toLowerCase() === "true";
}

/** Whether a client's send begins a transaction: TRAN_MSG is true, and it is no message tried again by an old client. */
export function beginsTransaction(draft: MessageDraft): boolean {
  const { properties } = draft;
  if (!isTransactional(properties)) return false;
  return !(draft.reconsumeTimes > 0 && Number(properties.text(KnownProperty.DELAY) ?? 0) > 0);
}

/**
 * Keeps a message whose sysFlag says PREPARED from its consumers: it goes to the half topic, and where it was going is
 * kept in REAL_TOPIC and REAL_QID (storage §12, `TransactionalMessageBridge.parseHalfMessageInner`). No other rewriter
 * applies to it: a delay begins when the transaction is committed.
 */
export function halfRewriter(topics: Pick<TopicTable, "get">): Rewriter {
  return (draft, target) => {
    if ((draft.sysFlag & SysFlag.TRANSACTION_MASK) !== SysFlag.TRANSACTION_PREPARED) return null;
    const half = topics.get(HALF_TOPIC);
    if (half === null) throw new Error(`there is no topic ${HALF_TOPIC}`);
    const { properties } = draft;
    const { nameBytes } = target.topic;
    if (properties.has(KnownProperty.UNIQ_KEY)) {
      const { bytes } = properties;
      const start = properties.start(KnownProperty.UNIQ_KEY);
      properties.setBytes(KnownProperty.TRANSACTION_ID, bytes, start, properties.end(KnownProperty.UNIQ_KEY));
    }
    // A producer has no say in which half message this is a copy of.
    if (properties.has(KnownProperty.TRAN_PREPARED_QUEUE_OFFSET)) {
      properties.delete(KnownProperty.TRAN_PREPARED_QUEUE_OFFSET);
    }
    properties.setBytes(KnownProperty.REAL_TOPIC, nameBytes, 0, nameBytes.length);
    properties.set(KnownProperty.REAL_QID, String(target.queueId));
    draft.sysFlag &= ~SysFlag.TRANSACTION_MASK;
    target.topic = half;
    target.queueId = TRANSACTION_QUEUE;
    return COMPLETE;
  };
}
