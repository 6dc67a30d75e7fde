/** The scenarios that every Platform must play the same way; `platform_test.ts` lists who plays. */
import type { Platform } from "./types.ts";

/** A platform under test, and what a test needs to move it. */
export interface Subject {
  readonly name: string;
  readonly platform: Platform;
  /** Whether it speaks TLS. */
  readonly tls: boolean;
  /** A new empty directory. */
  directory(): string;
  /** Waits for `outcome`; where nothing runs by itself, turns the platform until it is there. */
  finish<T>(outcome: Promise<T>): Promise<T>;
  /** Lets `ms` milliseconds pass. */
  pass(ms: number): Promise<void>;
}

/** A promise and what settles it. */
export function later<T>(): { promise: Promise<T>; settle: (value: T) => void } {
  let settle!: (value: T) => void;
  const promise = new Promise<T>((fulfil) => settle = fulfil);
  return { promise, settle };
}

/** `length` bytes that differ from their neighbours. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + seed) & 0xff;
  return bytes;
}
