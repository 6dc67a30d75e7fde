import { decodeUtf8, hexDigit, readI32, readI64, writeHex, writeI16, writeI32, writeI64 } from "./_bytes.ts";
import { FormatError } from "./errors.ts";

/** Where an offset message id points to. */
export interface OffsetMessageId {
  /** 4 or 16 bytes. */
  readonly host: Uint8Array;
  /** Port of the broker's listener. */
  readonly port: number;
  /** Physical offset in the commit log. */
  readonly offset: number;
}

/** Longest id: an IPv6 host in hex. */
export const MAX_MESSAGE_ID_LENGTH: number = 56;

const scratch = new Uint8Array(28);

/**
 * Writes the offset message id (`MessageDecoder.createMessageId`), upper-case hex of
 * | 4 or 16 host | 4 port | 8 physical offset |, to into[at…] and returns the new end (32 or 56 bytes more).
 */
export function writeOffsetMessageId(
  host: Uint8Array,
  port: number,
  offset: number,
  into: Uint8Array,
  at: number,
): number {
  writeI32(scratch, 0, port);
  writeI64(scratch, 4, offset);
  return writeHex(scratch, 0, 12, into, writeHex(host, 0, host.length, into, at));
}

/** The offset message id as text. */
export function offsetMessageId(host: Uint8Array, port: number, offset: number): string {
  const text = new Uint8Array(MAX_MESSAGE_ID_LENGTH);
  return decodeUtf8(text, 0, writeOffsetMessageId(host, port, offset, text, 0));
}

/** Reads an offset message id. Throws FormatError. */
export function parseOffsetMessageId(id: string): OffsetMessageId {
  if (id.length !== 32 && id.length !== 56) throw new FormatError("BAD_ID", "a message id has 32 or 56 hex digits");
  const bytes = new Uint8Array(id.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(id.charCodeAt(i * 2));
    const low = hexDigit(id.charCodeAt(i * 2 + 1));
    if (high < 0 || low < 0) throw new FormatError("BAD_ID", "a message id has 32 or 56 hex digits");
    bytes[i] = (high << 4) | low;
  }
  const host = bytes.slice(0, bytes.length - 12);
  return { host, port: readI32(bytes, host.length), offset: readI64(bytes, host.length + 4) };
}

/**
 * Makes unique keys in Java's layout (`MessageClientIDSetter`), upper-case hex of
 * | 4 or 16 address | 2 pid | 4 class-loader hash | 4 ms since the start of the local month | 2 counter |.
 */
export class UniqueId {
  readonly #bytes: Uint8Array;
  readonly #text: Uint8Array;
  #counter: number;

  /** `loader` stands for Java's class-loader hash: any number that differs between processes with one pid. */
  constructor(address: Uint8Array, pid: number, loader: number, counter: number = 0) {
    const bytes = this.#bytes = new Uint8Array(address.length + 12);
    bytes.set(address);
    writeI16(bytes, address.length, pid);
    writeI32(bytes, address.length + 2, loader);
    this.#text = new Uint8Array(bytes.length * 2);
    writeHex(bytes, 0, bytes.length, this.#text, 0);
    this.#counter = counter & 0xffff;
  }

  /** Length of an id in bytes: 32 or 56. */
  get length(): number {
    return this.#text.length;
  }

  /** The next id; `msSinceMonth` counts from the start of the local month. */
  next(msSinceMonth: number): string {
    return decodeUtf8(this.#make(msSinceMonth), 0, this.length);
  }

  /** Writes the next id to into[at…] and returns the new end. */
  write(msSinceMonth: number, into: Uint8Array, at: number): number {
    into.set(this.#make(msSinceMonth), at);
    return at + this.length;
  }

  #make(msSinceMonth: number): Uint8Array {
    const bytes = this.#bytes;
    const changing = bytes.length - 6;
    writeI32(bytes, changing, msSinceMonth);
    writeI16(bytes, changing + 4, this.#counter);
    this.#counter = (this.#counter + 1) & 0xffff;
    writeHex(bytes, changing, 6, this.#text, changing * 2);
    return this.#text;
  }
}
