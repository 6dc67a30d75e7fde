import { PlatformError } from "@rmq/platform";

/** What was thrown, as a PlatformError; `EIO` for what is none. */
export function asPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError("EIO", error instanceof Error ? error.message : String(error));
}
