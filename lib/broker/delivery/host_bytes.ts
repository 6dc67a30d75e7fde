/** IP literal → 4 or 16 bytes, as messages store hosts. An IPv4-mapped IPv6 literal becomes 4 bytes; what is no literal becomes 0.0.0.0. */
export function hostBytes(host: string): Uint8Array {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  const text = mapped ? mapped[1] : host;
  const v4 = ipv4Bytes(text);
  if (v4 !== null) return v4;
  return ipv6Bytes(text) ?? new Uint8Array(4);
}

function ipv4Bytes(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    if (!/^\d{1,3}$/.test(parts[i]) || Number(parts[i]) > 255) return null;
    bytes[i] = Number(parts[i]);
  }
  return bytes;
}

function ipv6Bytes(literal: string): Uint8Array | null {
  const text = literal.split("%")[0]; // without the zone
  if (!/^[0-9a-f:.]+$/i.test(text)) return null;
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0]);
  const tail = halves.length === 2 ? groupsOf(halves[1]) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 0 : missing !== 0) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

function groupsOf(half: string): number[] | null {
  if (half === "") return [];
  const groups: number[] = [];
  for (const part of half.split(":")) {
    const v4 = part.includes(".") ? ipv4Bytes(part) : null;
    if (v4 !== null) groups.push((v4[0] << 8) | v4[1], (v4[2] << 8) | v4[3]);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(parseInt(part, 16));
    else return null;
  }
  return groups;
}
