import type { Address } from "@rmq/platform";

/**
 * PROXY protocol, what a load balancer puts before the first frame (remoting.md §6.1).
 *
 * v1  "PROXY TCP4|TCP6 source destination sourcePort destinationPort\r\n" or "PROXY UNKNOWN…\r\n", at most 107 bytes
 * v2  0  12  signature
 *     12  1  version 2 << 4 | command (0 LOCAL, 1 PROXY)
 *     13  1  family << 4 | transport; family 1 IPv4, 2 IPv6, 3 Unix
 *     14  2  length of what follows
 *     16     IPv4: 4 source, 4 destination, 2 + 2 ports; IPv6: 16, 16, 2, 2; Unix: 108, 108
 *            then TLVs: 1 type, 2 length, value; type 0x20 (SSL) holds 5 bytes and TLVs of its own
 */
export interface ProxyPreamble {
  /** null for LOCAL and UNKNOWN. */
  readonly source: Address | null;
  readonly tlvs: ReadonlyMap<string, string>;
  /** Bytes of the preamble. */
  readonly length: number;
}

/** "none": other bytes begin here. "more": undecided yet. "bad": a preamble that cannot be read. */
export type ProxyResult = ProxyPreamble | "none" | "more" | "bad";

const V1_PREFIX = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20);
const V1_MAX_LENGTH = 107;
const V2_SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const V2_FIXED_LENGTH = 16;
const TLV_SSL = 0x20;
const ADDRESS_LENGTHS = [0, 12, 36, 216];
const NO_TLVS: ReadonlyMap<string, string> = new Map();
const ascii = new TextDecoder("latin1");

/** Looks for a preamble at the start of `bytes`. */
export function readProxyPreamble(bytes: Uint8Array): ProxyResult {
  if (bytes.length === 0) return "more";
  if (startsWith(bytes, V1_PREFIX)) return bytes.length < V1_PREFIX.length ? "more" : readV1(bytes);
  if (startsWith(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_LENGTH ? "more" : readV2(bytes);
  return "none";
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  const length = Math.min(bytes.length, prefix.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

function readV1(bytes: Uint8Array): ProxyResult {
  const lineEnd = bytes.subarray(0, V1_MAX_LENGTH).indexOf(0x0a);
  if (lineEnd < 0) return bytes.length < V1_MAX_LENGTH ? "more" : "bad";
  if (bytes[lineEnd - 1] !== 0x0d) return "bad";
  const length = lineEnd + 1;
  const words = ascii.decode(bytes.subarray(0, lineEnd - 1)).split(" ");
  if (words[1] === "UNKNOWN") return { source: null, tlvs: NO_TLVS, length };
  if (words.length !== 6 || (words[1] !== "TCP4" && words[1] !== "TCP6")) return "bad";
  const host = words[2]!;
  const isAddress = words[1] === "TCP4"
    ? /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
    : /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(host);
  const port = /^\d{1,5}$/.test(words[4]!) ? Number(words[4]) : -1;
  if (!isAddress || port < 0 || port > 65535) return "bad";
  return { source: { host, port }, tlvs: NO_TLVS, length };
}

function readV2(bytes: Uint8Array): ProxyResult {
  const command = bytes[12]! & 0x0f;
  if (bytes[12]! >> 4 !== 2 || command > 1) return "bad";
  const length = V2_FIXED_LENGTH + (bytes[14]! << 8 | bytes[15]!);
  if (bytes.length < length) return "more";
  if (command === 0) return { source: null, tlvs: NO_TLVS, length };
  const family = bytes[13]! >> 4;
  const addressEnd = V2_FIXED_LENGTH + (ADDRESS_LENGTHS[family] ?? Infinity);
  if (addressEnd > length) return "bad";
  const tlvs = new Map<string, string>();
  if (!readTlvs(bytes.subarray(addressEnd, length), tlvs, true)) return "bad";
  return { source: readV2Source(bytes, family), tlvs, length };
}

function readV2Source(bytes: Uint8Array, family: number): Address | null {
  const at = V2_FIXED_LENGTH;
  if (family === 1) {
    return { host: bytes.subarray(at, at + 4).join("."), port: bytes[at + 8]! << 8 | bytes[at + 9]! };
  }
  if (family !== 2) return null;
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[at + i]! << 8 | bytes[at + i + 1]!).toString(16));
  return { host: groups.join(":"), port: bytes[at + 32]! << 8 | bytes[at + 33]! };
}

/** Keeps the TLVs whose value is printable ASCII; those inside an SSL TLV as well, in one flat list as Netty does. */
function readTlvs(bytes: Uint8Array, into: Map<string, string>, outer: boolean): boolean {
  let at = 0;
  while (at < bytes.length) {
    if (at + 3 > bytes.length) return false;
    const type = bytes[at]!;
    const end = at + 3 + (bytes[at + 1]! << 8 | bytes[at + 2]!);
    if (end > bytes.length) return false;
    const value = bytes.subarray(at + 3, end);
    if (type === TLV_SSL && outer) {
      if (value.length < 5 || !readTlvs(value.subarray(5), into, false)) return false;
    } else if (value.length > 0 && value.every((byte) => byte >= 0x20 && byte < 0x7f)) {
      into.set(`proxy_protocol_tlv_0x${type.toString(16).padStart(2, "0")}`, ascii.decode(value));
    }
    at = end;
  }
  return true;
}
