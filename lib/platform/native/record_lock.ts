import type { Libc } from "./libc.ts";

const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const F_SETLK = 6;
const F_WRLCK = 1;

/**
 * Takes the POSIX write lock on byte 0 of `path` and leaves `content` in the file; null when another process has it
 * or the file can't be opened. The lock lasts until the returned descriptor is closed, or any other one of this file.
 *
 * | offset | struct flock (64-bit Linux) |
 * |---|---|
 * | 0 | int16 l_type |
 * | 2 | int16 l_whence |
 * | 8 | int64 l_start |
 * | 16 | int64 l_len |
 * | 24 | int32 l_pid |
 */
export function takeRecordLock(libc: Libc, path: string, content: string): number | null {
  const descriptor = libc.open(new TextEncoder().encode(path + "\0"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644);
  if (descriptor < 0) return null;
  const flock = new Uint8Array(32);
  const view = new DataView(flock.buffer);
  const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  view.setInt16(0, F_WRLCK, littleEndian);
  view.setInt32(littleEndian ? 16 : 20, 1, littleEndian);
  if (libc.fcntl(descriptor, F_SETLK, flock) < 0) {
    libc.close(descriptor);
    return null;
  }
  const bytes = new TextEncoder().encode(content);
  libc.ftruncate(descriptor, 0);
  // An empty array has no address to give away.
  if (bytes.length > 0) libc.pwrite(descriptor, bytes, bytes.length, 0);
  return descriptor;
}
