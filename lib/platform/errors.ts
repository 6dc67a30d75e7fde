import { PlatformError } from "./types.ts";

/** The runtime's error as a PlatformError with its POSIX code; what has none is `EIO`. */
export function platformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  if (error instanceof Error) {
    const code = (error as { code?: unknown }).code;
    return new PlatformError(typeof code === "string" ? code : "EIO", error.message);
  }
  return new PlatformError("EIO", String(error));
}

/** The code of any thrown value, or "" where it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}
