import { decodeUtf8, EMPTY, encodeUtf8, equalBytes, getI64, readI32, readI64, viewOf } from "./_bytes.ts";
import {
  AFTER_STORE_HOST,
  BAD_CRC,
  BAD_LENGTH,
  BAD_MAGIC,
  BLANK_MAGIC,
  INCOMPLETE,
  LEAST_VARIABLE,
  MAGIC_V1,
  MAGIC_V2,
  MAX_V1_TOPIC,
  MIN_STORED_SIZE,
  VARIABLE_AT,
} from "./_stored_layout.ts";
import { crc32 } from "./crc.ts";
import { SysFlag } from "./system.ts";

/**
 * Whether bytes[at…] begin an entry of `size` bytes that was written for the physical offset `physical`: cheap enough to be
 * asked of every message that is served.
 */
export function isStoredAt(bytes: Uint8Array, at: number, size: number, physical: number): boolean {
  if (size < MIN_STORED_SIZE || at + size > bytes.length || readI32(bytes, at) !== size) return false;
  const magic = readI32(bytes, at + 4);
  return (magic === MAGIC_V1 || magic === MAGIC_V2) && readI64(bytes, at + 28) === physical;
}

const TAGS = encodeUtf8("TAGS");
const KEYS = encodeUtf8("KEYS");
const UNIQ_KEY = encodeUtf8("UNIQ_KEY");

/** A view over one entry in store format; reusable. Positions count in `bytes`. */
export class StoredMessage {
  /** What the positions count in. */
  bytes: Uint8Array = EMPTY;
  #view: DataView = viewOf(EMPTY);
  /** The entry's first byte. */
  at = 0;
  /** Bytes of the entry, or of a blank record. */
  size = 0;
  /** MAGIC_V1, MAGIC_V2 or BLANK_MAGIC. */
  magic = 0;
  /** CRC-32 & 0x7fffffff as stored. */
  bodyCrc = 0;
  /** Queue within the topic. */
  queueId = 0;
  /** The user's flag. */
  flag = 0;
  /** Index in the queue. */
  queueOffset = 0;
  /** Position in the commit log. */
  physicalOffset = 0;
  /** Bits of SysFlag. */
  sysFlag = 0;
  /** ms since 1970 */
  bornTimestamp = 0;
  /** First byte of the client's address. */
  bornHostStart = 0;
  /** Behind the client's address. */
  bornHostEnd = 0;
  /** Client's port. */
  bornPort = 0;
  /** ms since 1970 */
  storeTimestamp = 0;
  /** First byte of the broker's address. */
  storeHostStart = 0;
  /** Behind the broker's address. */
  storeHostEnd = 0;
  /** Broker's port. */
  storePort = 0;
  /** How often it was given back. */
  reconsumeTimes = 0;
  /** Physical offset of the half message. */
  preparedTransactionOffset = 0;
  /** First byte of the body. */
  bodyStart = 0;
  /** Behind the last byte of the body. */
  bodyEnd = 0;
  /** First byte of the topic. */
  topicStart = 0;
  /** Behind the topic. */
  topicEnd = 0;
  /** First byte of the property text. */
  propertiesStart = 0;
  /** Behind the property text. */
  propertiesEnd = 0;
  /** Values found by `scanProperties`, -1 when absent. */
  tagsStart: number = -1;
  /** Behind TAGS. */
  tagsEnd: number = -1;
  /** First byte of KEYS. */
  keysStart: number = -1;
  /** Behind KEYS. */
  keysEnd: number = -1;
  /** First byte of UNIQ_KEY. */
  uniqStart: number = -1;
  /** Behind UNIQ_KEY. */
  uniqEnd: number = -1;

  /**
   * Reads the entry at bytes[at, limit). Returns its size; 0 for a blank record, whose size is then in `size`; or
   * INCOMPLETE, BAD_MAGIC, BAD_LENGTH, BAD_CRC.
   */
  parse(bytes: Uint8Array, at: number, limit: number, checkCrc: boolean): number {
    if (limit - at < 8) return INCOMPLETE;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = viewOf(bytes);
    }
    const size = this.#view.getInt32(at);
    const magic = this.#view.getInt32(at + 4);
    this.at = at;
    this.size = size;
    this.magic = magic;
    if (magic === BLANK_MAGIC) return size < 8 ? BAD_LENGTH : 0;
    if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return BAD_MAGIC;
    if (size < MIN_STORED_SIZE) return BAD_LENGTH;
    if (size > limit - at) return INCOMPLETE;
    if (!this.#readFields(this.#view, at, at + size)) return BAD_LENGTH;
    if (checkCrc && !this.#bodyIsIntact()) return BAD_CRC;
    return size;
  }

  /**
   * Finds topic, body and properties of the entry of `size` bytes at bytes[at…], which stands at `physical` in the log;
   * false when it is not that one. Besides these only the two offsets are read: other numbers stay those of an earlier
   * entry. For filters, which look at many messages and deliver few.
   */
  locate(bytes: Uint8Array, at: number, size: number, physical: number): boolean {
    if (size < MIN_STORED_SIZE || at + size > bytes.length) return false;
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = viewOf(bytes);
    }
    const view = this.#view;
    const magic = this.magic = view.getInt32(at + 4);
    if (view.getInt32(at) !== size || magic !== MAGIC_V1 && magic !== MAGIC_V2) return false;
    if (getI64(view, at + 28) !== physical) return false;
    this.at = at;
    this.size = size;
    this.physicalOffset = physical;
    this.queueOffset = getI64(view, at + 20);
    const sysFlag = view.getInt32(at + 36);
    let p = at + VARIABLE_AT;
    if ((sysFlag & SysFlag.BORN_HOST_V6) !== 0) p += 12;
    if ((sysFlag & SysFlag.STORE_HOST_V6) !== 0) p += 12;
    return p + LEAST_VARIABLE <= at + size && this.#readVariable(view, p, at + size);
  }

  #readFields(view: DataView, at: number, end: number): boolean {
    this.bodyCrc = view.getInt32(at + 8);
    this.queueId = view.getInt32(at + 12);
    this.flag = view.getInt32(at + 16);
    this.queueOffset = getI64(view, at + 20);
    this.physicalOffset = getI64(view, at + 28);
    const sysFlag = this.sysFlag = view.getInt32(at + 36);
    this.bornTimestamp = getI64(view, at + 40);
    let p = at + 48;
    this.bornHostStart = p;
    this.bornHostEnd = p += (sysFlag & SysFlag.BORN_HOST_V6) === 0 ? 4 : 16;
    this.bornPort = view.getInt32(p);
    this.storeTimestamp = getI64(view, p + 4);
    p += 12;
    this.storeHostStart = p;
    this.storeHostEnd = p += (sysFlag & SysFlag.STORE_HOST_V6) === 0 ? 4 : 16;
    if (end - p < AFTER_STORE_HOST) return false;
    this.storePort = view.getInt32(p);
    this.reconsumeTimes = view.getInt32(p + 4);
    this.preparedTransactionOffset = getI64(view, p + 8);
    return this.#readVariable(view, p + 16, end);
  }

  #readVariable(view: DataView, at: number, end: number): boolean {
    const topicLengthBytes = this.magic === MAGIC_V2 ? 2 : 1;
    const bodyLength = view.getInt32(at);
    let p = at + 4;
    if (bodyLength < 0 || bodyLength > end - p - topicLengthBytes - 2) return false;
    this.bodyStart = p;
    this.bodyEnd = p += bodyLength;
    const topicLength = topicLengthBytes === 2 ? view.getUint16(p) : view.getUint8(p);
    p += topicLengthBytes;
    if (topicLength > (topicLengthBytes === 2 ? 0x7fff : MAX_V1_TOPIC) || topicLength > end - p - 2) return false;
    this.topicStart = p;
    this.topicEnd = p += topicLength;
    const propertiesLength = view.getInt16(p);
    p += 2;
    this.propertiesStart = p;
    this.propertiesEnd = p + propertiesLength;
    return propertiesLength >= 0 && this.propertiesEnd === end;
  }

  #bodyIsIntact(): boolean {
    return (crc32(this.bytes, this.bodyStart, this.bodyEnd) & 0x7fffffff) === this.bodyCrc;
  }

  /** The topic as a string. */
  topicText(): string {
    return decodeUtf8(this.bytes, this.topicStart, this.topicEnd);
  }

  /** Value of a property, or null. */
  property(name: string): string | null {
    const wanted = encodeUtf8(name);
    const { bytes, propertiesEnd } = this;
    let found: string | null = null;
    for (let p = this.propertiesStart; p < propertiesEnd;) {
      const end = indexOrEnd(bytes, 0x02, p, propertiesEnd);
      const separator = indexOrEnd(bytes, 0x01, p, end);
      if (separator < end - 1 && equalBytes(bytes, p, separator, wanted)) {
        found = decodeUtf8(bytes, separator + 1, end);
      }
      p = end + 1;
    }
    return found;
  }

  /** Finds what dispatch needs in one pass: the values of TAGS, KEYS and UNIQ_KEY. */
  scanProperties(): void {
    const { bytes, propertiesEnd } = this;
    this.tagsStart =
      this.tagsEnd =
      this.keysStart =
      this.keysEnd =
      this.uniqStart =
      this.uniqEnd =
        -1;
    let p = this.propertiesStart;
    while (p < propertiesEnd) {
      const name = p;
      while (p < propertiesEnd && bytes[p] > 0x02) p++;
      const nameEnd = p;
      if (p < propertiesEnd && bytes[p] === 0x01) p++;
      const value = p;
      while (p < propertiesEnd && bytes[p] !== 0x02) p++;
      if (p > value && value > nameEnd) this.#note(name, nameEnd, value, p);
      p++;
    }
  }

  #note(name: number, nameEnd: number, value: number, end: number): void {
    const { bytes } = this;
    const length = nameEnd - name;
    if (length === 4) {
      const first = bytes[name];
      if (first === 0x54 && equalBytes(bytes, name, nameEnd, TAGS)) {
        this.tagsStart = value;
        this.tagsEnd = end;
      } else if (first === 0x4b && equalBytes(bytes, name, nameEnd, KEYS)) {
        this.keysStart = value;
        this.keysEnd = end;
      }
    } else if (length === 8 && equalBytes(bytes, name, nameEnd, UNIQ_KEY)) {
      this.uniqStart = value;
      this.uniqEnd = end;
    }
  }
}

function indexOrEnd(bytes: Uint8Array, byte: number, from: number, end: number): number {
  for (let i = from; i < end; i++) if (bytes[i] === byte) return i;
  return end;
}
