import type { Net } from "@rmq/platform";

type Interface = ReturnType<Net["interfaces"]>[number];

/**
 * The address that a broker registers when none is configured, picked as Apache does (`NetworkUtil.getLocalAddress`):
 * no loopback; IPv4 before IPv6; the first public one, else the last private IPv4 or the first private IPv6.
 */
export function localAddress(interfaces: readonly Interface[]): string {
  const usable = interfaces.filter((each) => !each.loopback && !leadsNowhere(each.name));
  const v4 = usable.filter((each) => each.family === 4).map((each) => each.address);
  if (v4.length > 0) return v4.find((address) => !privateV4(address)) ?? v4[v4.length - 1];
  const v6 = usable.filter((each) => each.family === 6).map((each) => each.address);
  return v6.find((address) => !privateV6(address)) ?? v6[0] ?? "127.0.0.1";
}

/** Bridges of container engines and point-to-point links, which Apache leaves out too. */
function leadsNowhere(name: string): boolean {
  return /^(docker|br-|virbr|veth|ppp|u?tun)/.test(name);
}

function privateV4(address: string): boolean {
  const [a, b] = address.split(".").map(Number);
  return a === 10 || a === 127 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168);
}

function privateV6(address: string): boolean {
  return /^fe[89a-f]/i.test(address);
}
