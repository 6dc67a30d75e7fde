import { KnownProperty, type Properties, type StoredMessage } from "@rmq/protocol";
import { immunityMs } from "./immunity.ts";

const MS_PER_HOUR = 3_600_000;

/** What is done with an open half message that a look through the queue comes to. */
export const Verdict = {
  /** It is too new, and so is what comes after it: the look ends here. */
  WAIT: 0,
  /** It is stored again behind the others, to be looked at later: its own time for the first check has not come. */
  KEEP: 1,
  /** It is stored again, and its producers are asked. */
  CHECK: 2,
  /** It was checked too often, or is too old: it goes to the topic of those. */
  DISCARD: 3,
} as const;

/** What a verdict depends on. */
export interface VerdictSettings {
  /** ms */
  readonly transactionTimeOut: number;
  readonly transactionCheckMax: number;
  /** h */
  readonly fileReservedTime: number;
}

/**
 * What to do with an open half message at `nowMs`; one of {@link Verdict}
 * (`TransactionalMessageServiceImpl.check`). `properties` are the message's.
 */
export function verdictOn(
  message: StoredMessage,
  properties: Properties,
  settings: VerdictSettings,
  nowMs: number,
): number {
  const age = nowMs - message.bornTimestamp;
  if (checkTimes(properties) >= settings.transactionCheckMax) return Verdict.DISCARD;
  if (age > settings.fileReservedTime * MS_PER_HOUR) return Verdict.DISCARD;
  const immunity = properties.text(KnownProperty.CHECK_IMMUNITY_TIME_IN_SECONDS);
  if (immunity !== null) {
    return age <= immunityMs(immunity, settings.transactionTimeOut) ? Verdict.KEEP : Verdict.CHECK;
  }
  // Born in the future: the producer's clock says nothing then.
  return age >= 0 && age <= settings.transactionTimeOut ? Verdict.WAIT : Verdict.CHECK;
}

/** How often a half message was checked (TRANSACTION_CHECK_TIMES). */
export function checkTimes(properties: Properties): number {
  const text = properties.text(KnownProperty.TRANSACTION_CHECK_TIMES);
  if (text === null) return 0;
  return /^-?\d{1,9}$/.test(text) ? Number(text) : -1;
}
