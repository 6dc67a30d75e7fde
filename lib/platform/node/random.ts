import { randomFillSync } from "node:crypto";
import type { Random } from "../types.ts";

/** Choices from the runtime's generator, bytes from the system's secure one. */
export function hostRandom(): Random {
  return {
    below: (bound) => Math.floor(Math.random() * bound),
    bytes: (into) => void randomFillSync(into),
  };
}
