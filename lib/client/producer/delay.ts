import { ClientError } from "../client_error.ts";
import { milliseconds } from "../duration.ts";
import type { RemotingNetwork } from "../network/remoting_network.ts";
import type { SendOptions } from "./outgoing.ts";

/** Apache's levels, 1 … (`messageDelayLevel`), ms. */
const LEVELS_MS = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h".split(" ")
  .map((level) => milliseconds(level as `${number}s`));
/** `MQVersion` of 5.0.0, which brought delivery at any time. */
const V5_0_0 = 413;

/** Whether the broker's version must be known to say the delay. */
export function isTimed(options: SendOptions): boolean {
  return options.delay !== undefined || options.at !== undefined;
}

/** The property of a delay level. Throws ClientError `BAD_ARGUMENT`. */
export function levelProperty(delayLevel: number): string {
  if (Number.isInteger(delayLevel) && delayLevel > 0) return `DELAY\x01${delayLevel}\x02`;
  throw new ClientError("BAD_ARGUMENT", `delay levels are 1, 2 …, not ${delayLevel}`);
}

/**
 * The property for `delay` or `at`, as the topic's brokers understand it: a timer from 5.0 on, before that a delay level
 * of exactly that length, else ClientError `NOT_SUPPORTED`.
 */
export async function timedProperty(network: RemotingNetwork, topic: string, options: SendOptions): Promise<string> {
  const { delay, at, delayLevel, signal } = options;
  if ([delay, at, delayLevel].filter((each) => each !== undefined).length > 1) {
    throw new ClientError("BAD_ARGUMENT", "delay, at and delayLevel exclude each other");
  }
  const delayMs = delay === undefined ? null : milliseconds(delay, "delay");
  const atMs = at === undefined ? null : typeof at === "number" ? at : at.getTime();
  if (atMs !== null && !Number.isSafeInteger(atMs)) throw new ClientError("BAD_ARGUMENT", "at is no time");
  if (delayMs === 0) return "";
  const route = await network.routes.route(topic, { forSending: true, ...(signal === undefined ? {} : { signal }) });
  const address = network.brokerAddress(route.writeQueues[0]?.brokerName ?? "");
  const version = address === null ? 0 : await network.brokerVersion(address);
  if (version >= V5_0_0) {
    return delayMs === null ? `TIMER_DELIVER_MS\x01${atMs}\x02` : `TIMER_DELAY_MS\x01${Math.ceil(delayMs)}\x02`;
  }
  const level = delayMs === null ? -1 : LEVELS_MS.indexOf(delayMs);
  if (level >= 0) return levelProperty(level + 1);
  if (version === 0) throw new ClientError("BROKER_UNREACHABLE", `no broker of ${topic} says what version it is`);
  throw new ClientError("NOT_SUPPORTED", `brokers before 5.0 delay by their levels only (${LEVELS_MS.length} of them)`);
}
