import { KnownProperty, type Properties } from "@rmq/protocol";

const { TRAN_PREPARED_QUEUE_OFFSET: FIRST, CHECK_IMMUNITY_TIME_IN_SECONDS } = KnownProperty;

/**
 * A half message that is stored again says where its first copy stood (TRAN_PREPARED_QUEUE_OFFSET), for that is the one its
 * producer knows: whichever copy ends, the others have ended too. Apache's broker writes and reads the property only
 * while a message waits for the time of its own for the first check.
 */
export function noteFirstCopy(properties: Properties, offset: number): void {
  if (!properties.has(FIRST)) properties.set(FIRST, String(offset));
}

/** Half offset of the first copy of the half message that stands at `offset`; that itself when it is the first. */
export function firstCopy(properties: Properties, offset: number): number {
  const text = properties.text(FIRST);
  if (text === null || !/^\d{1,15}$/.test(text)) return offset;
  return Math.min(Number(text), offset);
}

/** Takes the note out of what clients get to see, where Apache has none. */
export function hideFirstCopy(properties: Properties): void {
  if (properties.has(FIRST) && !properties.has(CHECK_IMMUNITY_TIME_IN_SECONDS)) properties.delete(FIRST);
}
