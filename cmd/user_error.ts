import { ConfigError } from "@rmq/config";
import { PlatformError } from "@rmq/platform";

/** A mistake on the command line or in what it names; the message says what is wrong and how to mend it. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** What a server that is being started was told to use. */
export interface StartContext {
  /** `host:port`, one or several, for the message. */
  readonly listens: string;
  /** How another port is chosen. */
  readonly portFlag: string;
}

/** The lines for an error that the user can mend; null: the mistake is ours. */
export function explain(error: unknown): readonly string[] | null {
  if (error instanceof ConfigError) return error.problems;
  // By name, so that a mistake on the command line is told without loading the store.
  if (error instanceof UserError || (error instanceof Error && error.name === "StoreError")) return [error.message];
  return null;
}

/** Starts a server; what the machine refuses becomes a UserError. */
export async function starting<T>(context: StartContext, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw error instanceof PlatformError ? new UserError(problemOf(error, context)) : error;
  }
}

function problemOf(error: PlatformError, { listens, portFlag }: StartContext): string {
  switch (error.code) {
    case "EADDRINUSE":
      return `${listens} is in use: stop what listens there, or choose another port with ${portFlag}`;
    case "EACCES":
    case "EPERM":
      return /listen|bind/i.test(error.message)
        ? `${listens} is not allowed for this user: choose a port above 1024 with ${portFlag}`
        : `${error.message}: make it writable for this user, or choose another directory`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${listens} is not an address of this machine: choose one that is`;
    case "ENOSPC":
      return `${error.message}: make room on the disk, or choose another directory`;
    default:
      // Bun says of a name that does not resolve only that it can't listen there.
      return /listen/i.test(error.message)
        ? `can't listen on ${listens} (${error.message}): choose an address of this machine and a free port`
        : error.message;
  }
}
