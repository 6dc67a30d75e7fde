/** A connection with more than this buffered tells its writer to wait. */
export const HIGH_WATER_BYTES: number = 1024 * 1024;

/** Below this a waiting writer is told to go on. */
export const LOW_WATER_BYTES: number = HIGH_WATER_BYTES / 2;
