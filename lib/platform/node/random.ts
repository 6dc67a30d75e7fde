import { crypto } from "../builtin/mod.ts";
import type { Random } from "../types.ts";

/** Choices from the runtime's generator, bytes from the system's secure one. */
export function hostRandom(): Random {
  return {
    below: (bound) => Math.floor(Math.random() * bound),
    bytes: (into) => void crypto().randomFillSync(into),
  };
}
