import type { Platform } from "@rmq/platform";
import { UniqueId } from "@rmq/protocol";

/** Makes unique keys for messages that come without one, as a Java client on this host would. */
export function uniqueKeys(platform: Pick<Platform, "clock" | "process" | "random">, host: Uint8Array): () => string {
  const { clock, process, random } = platform;
  const ids = new UniqueId(host, process.pid & 0xffff, random.below(0x7fffffff));
  return () => {
    const now = clock.localTime(clock.nowMs());
    const seconds = (((now.day - 1) * 24 + now.hour) * 60 + now.minute) * 60 + now.second;
    // An int of milliseconds holds less than a long month: Java's layout wraps, and so does this.
    return ids.next((seconds * 1000 + now.millisecond) | 0);
  };
}
