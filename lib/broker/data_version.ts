import type { Clock } from "@rmq/platform";
import { JsonMembers } from "./json_members.ts";

/** Version of a table: name servers and slaves compare all three members (`DataVersion`). */
export interface DataVersion {
  readonly counter: number;
  /** 0 outside controller mode. */
  readonly stateVersion: number;
  /** ms since 1970 of the last change. */
  readonly timestamp: number;
}

/** The version that a table without a file starts with. */
export function firstVersion(clock: Clock): DataVersion {
  return { counter: 0, stateVersion: 0, timestamp: clock.nowMs() };
}

/** The version after a change (`DataVersion.nextVersion`). */
export function nextVersion(version: DataVersion, clock: Clock): DataVersion {
  return { counter: version.counter + 1, stateVersion: version.stateVersion, timestamp: clock.nowMs() };
}

/** JSON as fastjson writes it, keys in order. */
export function versionJson(version: DataVersion): string {
  return `{"counter":${version.counter},"stateVersion":${version.stateVersion},"timestamp":${version.timestamp}}`;
}

/** Whether all members agree. */
export function sameVersion(a: DataVersion, b: DataVersion): boolean {
  return a.counter === b.counter && a.stateVersion === b.stateVersion && a.timestamp === b.timestamp;
}

/** The `dataVersion` of a table's file, or `fallback` when there is none. */
export function readVersion(table: JsonMembers, fallback: DataVersion): DataVersion {
  const version = table.object("dataVersion");
  return version === null ? fallback : {
    counter: version.int("counter", 0),
    stateVersion: version.int("stateVersion", 0),
    timestamp: version.int("timestamp", fallback.timestamp),
  };
}

/** A version given as JSON text (paging requests); null when it is none. */
export function parseVersion(text: string): DataVersion | null {
  try {
    const version = JsonMembers.parse(text);
    if (version === null) return null;
    return {
      counter: version.int("counter", 0),
      stateVersion: version.int("stateVersion", 0),
      timestamp: version.int("timestamp", 0),
    };
  } catch {
    return null;
  }
}
