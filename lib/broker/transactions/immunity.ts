const MS_PER_SECOND = 1000;

/**
 * How long a half message is left alone after it was born, ms: what CHECK_IMMUNITY_TIME_IN_SECONDS says, at least
 * `transactionTimeOut` (`TransactionalMessageUtil.getImmunityTime`).
 */
export function immunityMs(text: string, transactionTimeOut: number): number {
  const asked = /^[+-]?\d{1,15}$/.test(text) ? Number(text) * MS_PER_SECOND : 0;
  return Math.max(asked, transactionTimeOut);
}
