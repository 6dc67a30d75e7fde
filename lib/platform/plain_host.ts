/** An address as an IP literal: IPv4 that came over an IPv6 port is IPv4; unknown is empty. */
export function plainHost(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
