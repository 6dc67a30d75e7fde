import type { GroupRetryPolicy } from "./group_config.ts";

/** The first two delays of a customized policy are not used: a first try comes back with the third (Apache's level 3). */
const CUSTOMIZED_SHIFT = 2;
/** Beyond it an exponential policy grows no further (`ExponentialRetryPolicy`). */
const MAX_EXPONENT = 32;

/**
 * After how many ms a message that failed `reconsumeTimes` times before comes back to a group with this policy
 * (`RetryPolicy.nextDelayDuration`). null: the group has no policy of its own, the delay levels decide.
 */
export function policyDelayMs(policy: GroupRetryPolicy, reconsumeTimes: number): number | null {
  const times = Math.max(0, reconsumeTimes);
  if (policy.type === "EXPONENTIAL") {
    if (policy.exponential === null) return null;
    const { initial, max, multiplier } = policy.exponential;
    return Math.max(0, Math.min(max, initial * Math.pow(multiplier, Math.min(times, MAX_EXPONENT))));
  }
  const { customizedNext: next } = policy;
  if (next === null || next.length === 0) return null;
  return Math.max(0, next[Math.min(times + CUSTOMIZED_SHIFT, next.length - 1)]);
}

/** The level (1 and up) whose delay is the first that is not shorter than `delayMs`; the last one if all are. */
export function levelFor(delayMs: number, delayTimesMs: readonly number[]): number {
  let best = -1;
  let longest = 0;
  for (let i = 0; i < delayTimesMs.length; i++) {
    if (delayTimesMs[i] > delayTimesMs[longest]) longest = i;
    if (delayTimesMs[i] >= delayMs && (best < 0 || delayTimesMs[i] < delayTimesMs[best])) best = i;
  }
  return (best < 0 ? longest : best) + 1;
}
