import type { Platform } from "@rmq/platform";

/** `ip@instance[@unit]`; an instance without a name is `pid#random`, so that ids are unique. (ClientConfig.buildMQClientId) */
export function buildClientId(platform: Platform, instanceName: string | undefined, unitName: string): string {
  const instance = instanceName ?? `${platform.process.pid}#${platform.random.below(0x7fffffff)}`;
  return `${ownAddress(platform)}@${instance}${unitName === "" ? "" : `@${unitName}`}`;
}

/** The first IPv4 address that is not loopback, else loopback. */
export function ownAddress(platform: Platform): string {
  const all = platform.net.interfaces();
  return all.find(({ family, loopback }) => family === 4 && !loopback)?.address ?? "127.0.0.1";
}
