import type { Files } from "@rmq/platform";

/**
 * Makes what was read from the folder of the configuration files durable. A process that was killed between a file's
 * renaming and its folder's sync left a name that the next one reads, and that a power cut takes away again. Rejects with
 * PlatformError.
 */
export function settleConfig(files: Files, storePathRootDir: string): Promise<void> {
  const directory = `${storePathRootDir}/config`;
  if (files.stat(directory) === null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    files.syncDirectory(directory, (error) => error === null ? resolve() : reject(error));
  });
}
