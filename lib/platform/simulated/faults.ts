import { PlatformError } from "../types.ts";
import type { Fault, FaultyOperation } from "./types.ts";

/** The failures that a test has asked for and that have not happened yet. */
export class Faults {
  #waiting: { fault: Fault; left: number; skip: number }[] = [];

  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.count ?? 1, skip: fault.skip ?? 0 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault that befalls this operation, used up by it, or null. */
  take(op: FaultyOperation, path: string): Fault | null {
    for (const each of this.#waiting) {
      const { fault } = each;
      if (fault.op !== op || (fault.path !== undefined && !path.includes(fault.path))) continue;
      if (each.skip-- > 0) return null;
      if (--each.left === 0) this.#waiting = this.#waiting.filter((other) => other !== each);
      return fault;
    }
    return null;
  }

  /** Throws what befalls this operation. */
  strike(op: FaultyOperation, path: string): void {
    const fault = this.take(op, path);
    if (fault !== null) throw errorOf(fault, path);
  }
}

/** The error that a fault shows itself as. */
export function errorOf(fault: Fault, path: string): PlatformError {
  return new PlatformError(fault.code, `${path}: simulated ${fault.code} in ${fault.op}`);
}
