import type { MessageDraft, StoredMessage } from "@rmq/protocol";

/**
 * Fills a draft from a stored message, for storing it again elsewhere. The draft holds views of the message's bytes and is
 * to be put before those go; topic and queue are for the caller to say.
 */
export function draftOfStored(message: StoredMessage, draft: MessageDraft): void {
  const { bytes } = message;
  draft.flag = message.flag;
  draft.sysFlag = message.sysFlag;
  draft.bornTimestamp = message.bornTimestamp;
  draft.bornHost = bytes.slice(message.bornHostStart, message.bornHostEnd);
  draft.bornPort = message.bornPort;
  draft.reconsumeTimes = message.reconsumeTimes;
  draft.preparedTransactionOffset = 0;
  draft.body = bytes;
  draft.bodyStart = message.bodyStart;
  draft.bodyEnd = message.bodyEnd;
  draft.properties.readText(bytes, message.propertiesStart, message.propertiesEnd);
}
