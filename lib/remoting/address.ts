import type { Address } from "@rmq/platform";
import { RemotingError } from "./types.ts";

/** `host:port`, `[v6]:port`, or `v6:port` as Java prints it, as its parts. Throws RemotingError `BAD_ADDRESS`. */
export function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(":");
  const digits = text.slice(colon + 1);
  let host = text.slice(0, Math.max(colon, 0)).trim();
  if (host.startsWith("[") && host.endsWith("]")) host = host.slice(1, -1);
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : -1;
  if (host === "" || port < 0 || port > 65535 || /[\s[\]/]/.test(host)) {
    throw new RemotingError("BAD_ADDRESS", `not an address of the form host:port: ${text.slice(0, 200)}`, false);
  }
  return { host, port };
}

/** The text form of an address: `host:port`, or `[v6]:port`. */
export function formatAddress(address: Address): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** An IPv4 peer of a dual-stack listener comes as `::ffff:a.b.c.d`. */
export function unmapped(address: Address): Address {
  const host = address.host.toLowerCase();
  return host.startsWith("::ffff:") && host.includes(".") ? { host: host.slice(7), port: address.port } : address;
}
