import { type Done, type File, type Files, PlatformError } from "@rmq/platform";
import { asPlatformError } from "./platform_error.ts";

/** Writes all of `bytes` at `position`. Throws PlatformError; a short write counts as a full disk. */
export function writeFully(file: File, bytes: Uint8Array, position: number): void {
  const written = file.writeAt(bytes, position);
  if (written !== bytes.length) {
    throw new PlatformError("ENOSPC", `${file.path}: only ${written} of ${bytes.length} bytes were written`);
  }
}

/**
 * Replaces a small file durably: written beside it, synced, renamed over it, and the directory synced. After a power
 * cut either the old content is there or the new one.
 */
export function replaceDurably(files: Files, directory: string, name: string, text: string, done: Done): void {
  const path = `${directory}/${name}`;
  const fresh = `${path}.new`;
  let file: File | null = null;
  try {
    files.makeDirectory(directory);
    files.remove(fresh);
    file = files.open(fresh, { create: true });
    writeFully(file, new TextEncoder().encode(text), 0);
  } catch (error) {
    file?.close();
    return done(asPlatformError(error));
  }
  const written = file;
  written.syncData((error) => {
    written.close();
    if (error !== null) return done(error);
    try {
      files.rename(fresh, path);
    } catch (failure) {
      return done(asPlatformError(failure));
    }
    files.syncDirectory(directory, done);
  });
}

/** The object that a small JSON file holds; null when it is absent or not one. */
export function readObject(files: Files, path: string): Record<string, unknown> | null {
  const bytes = files.readWhole(path);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch {
    return null;
  }
}
