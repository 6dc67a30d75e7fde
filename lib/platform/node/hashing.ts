import { crypto } from "../builtin/mod.ts";
import type { Hashing } from "../types.ts";

/** Implements `Hashing` with `node:crypto`; the simulated machine has it too, since it depends on nothing but its input. */
export const hostHashing: Hashing = {
  hmacSha1(key, pieces) {
    const hmac = crypto().createHmac("sha1", key);
    for (const piece of pieces) hmac.update(piece);
    return new Uint8Array(hmac.digest());
  },
};
