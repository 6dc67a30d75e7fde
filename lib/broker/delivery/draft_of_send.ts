import type { Header, MessageDraft } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import type { Topic } from "../topics/topic_table.ts";
import { stateOf } from "./connection_state.ts";
import type { SendFields } from "./send_fields.ts";

/** Bits of sysFlag that the broker sets itself and never takes from a client: both IPv6 marks. */
const HOST_BITS = 0x30;
const MULTI_TAG = 0x2;
const TRANSACTION_BITS = 0xc;

/** Takes over what a send's header says of its message: everything of the draft but body and properties. */
export function fillDraft(
  draft: MessageDraft,
  header: Header,
  connection: RemotingConnection,
  fields: SendFields,
  topic: Topic,
): void {
  const client = stateOf(connection);
  const multiTag = topic.config.topicFilterType === "MULTI_TAG" ? MULTI_TAG : 0;
  draft.flag = header.int(fields.flag, 0);
  draft.sysFlag = (header.int(fields.sysFlag, 0) & ~(HOST_BITS | TRANSACTION_BITS)) | multiTag;
  draft.bornTimestamp = header.long(fields.bornTimestamp, 0);
  draft.bornHost = client.bornHost;
  draft.bornPort = client.bornPort;
  draft.reconsumeTimes = header.int(fields.reconsumeTimes, 0);
  draft.preparedTransactionOffset = 0;
}
