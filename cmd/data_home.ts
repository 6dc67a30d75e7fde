import { platform as systemName } from "node:os";
import type { Process } from "@rmq/platform";

/** Where programs keep their users' data on this system, with our folder in it. */
export function dataHome(process: Pick<Process, "env" | "homeDirectory">, system: string = systemName()): string {
  const given = process.env("XDG_DATA_HOME");
  if (given) return `${given}/rmq`;
  if (system === "darwin") return `${process.homeDirectory}/Library/Application Support/rmq`;
  if (system === "win32") return `${process.env("LOCALAPPDATA") ?? `${process.homeDirectory}/AppData/Local`}/rmq`;
  return `${process.homeDirectory}/.local/share/rmq`;
}
