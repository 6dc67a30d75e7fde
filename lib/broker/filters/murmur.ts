/*
 * The first half of MurmurHash3 x64 128 with seed 0, as Guava's `Hashing.murmur3_128()` makes it. A 64-bit number is two
 * unsigned int32, high first.
 */

type Long = readonly [high: number, low: number];

const C1: Long = [0x87c37b91, 0x114253d5];
const C2: Long = [0x4cf5ad43, 0x2745937f];
const MIX1: Long = [0xff51afd7, 0xed558ccd];
const MIX2: Long = [0xc4ceb9fe, 0x1a85ec53];
const FIVE: Long = [0, 5];
const BLOCK = 16;

/** `Hashing.murmur3_128().hashBytes(bytes).asLong()` as two int32, high first. */
export function murmur3(bytes: Uint8Array): [high: number, low: number] {
  let h1: Long = [0, 0];
  let h2: Long = [0, 0];
  const blocks = bytes.length - bytes.length % BLOCK;
  for (let at = 0; at < blocks; at += BLOCK) {
    h1 = add(multiply(add(rotate(xor(h1, firstWord(read(bytes, at, 8))), 27), h2), FIVE), [0, 0x52dce729]);
    h2 = add(multiply(add(rotate(xor(h2, secondWord(read(bytes, at + 8, 8))), 31), h1), FIVE), [0, 0x38495ab5]);
  }
  const rest = bytes.length - blocks;
  if (rest > 0) h1 = xor(h1, firstWord(read(bytes, blocks, Math.min(rest, 8))));
  if (rest > 8) h2 = xor(h2, secondWord(read(bytes, blocks + 8, rest - 8)));
  const length: Long = [0, bytes.length];
  h1 = xor(h1, length);
  h2 = xor(h2, length);
  h1 = add(h1, h2);
  h2 = add(h2, h1);
  const [high, low] = add(mix(h1), mix(h2));
  return [high | 0, low | 0];
}

function firstWord(word: Long): Long {
  return multiply(rotate(multiply(word, C1), 31), C2);
}

function secondWord(word: Long): Long {
  return multiply(rotate(multiply(word, C2), 33), C1);
}

function mix(word: Long): Long {
  const once = multiply(xor(word, [0, word[0] >>> 1]), MIX1);
  const twice = multiply(xor(once, [0, once[0] >>> 1]), MIX2);
  return xor(twice, [0, twice[0] >>> 1]);
}

/** Little-endian. */
function read(bytes: Uint8Array, at: number, count: number): Long {
  const word: [number, number] = [0, 0];
  for (let i = 0; i < count; i++) word[i < 4 ? 1 : 0] |= bytes[at + i] << ((i % 4) * 8);
  return [word[0] >>> 0, word[1] >>> 0];
}

function xor(a: Long, b: Long): Long {
  return [(a[0] ^ b[0]) >>> 0, (a[1] ^ b[1]) >>> 0];
}

function add(a: Long, b: Long): Long {
  const low = a[1] + b[1];
  return [(a[0] + b[0] + (low > 0xffffffff ? 1 : 0)) >>> 0, low >>> 0];
}

/** To the left, by 1 to 63 bits, but not by 32. */
function rotate([high, low]: Long, bits: number): Long {
  if (bits > 32) return rotate([low, high], bits - 32);
  return [((high << bits) | (low >>> (32 - bits))) >>> 0, ((low << bits) | (high >>> (32 - bits))) >>> 0];
}

function multiply([aHigh, aLow]: Long, [bHigh, bLow]: Long): Long {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  // Each product and each sum of them stays below 2 ** 53.
  const middle = a1 * b0 + Math.floor(a0 * b0 / 0x10000);
  const carried = a0 * b1 + middle % 0x10000;
  const high = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000);
  const low = (carried % 0x10000) * 0x10000 + (a0 * b0) % 0x10000;
  return [(high + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) >>> 0, low >>> 0];
}
