import type { StoredMessage } from "@rmq/protocol";
import type { Segments } from "./segments.ts";

/** What a disk writes as a whole. */
const SECTOR_BYTES = 512;

/**
 * Whether an entry whose lengths and body are right still lost a part in a power cut: topic and properties have no
 * checksum, and a sector that never reached the disk reads as zeros. A topic has no NUL, nor do properties end with
 * one; inside them a client may have put one, so there only a sector's whole share counts.
 */
export function looksTorn(message: StoredMessage, segments: Segments): boolean {
  const { bytes, topicStart, topicEnd, propertiesStart, propertiesEnd } = message;
  for (let at = topicStart; at < topicEnd; at++) {
    if (bytes[at] === 0) return true;
  }
  if (propertiesEnd === propertiesStart) return false;
  if (bytes[propertiesEnd - 1] === 0) return true;
  const segment = segments.at(message.physicalOffset);
  const shift = message.physicalOffset - (segment?.base ?? 0) - message.at;
  for (let at = propertiesStart; at < propertiesEnd;) {
    const position = at + shift;
    const end = Math.min(propertiesEnd, at + SECTOR_BYTES - (position % SECTOR_BYTES));
    if (isZero(bytes, at, end)) return true;
    at = end;
  }
  return false;
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== 0) return false;
  }
  return true;
}
