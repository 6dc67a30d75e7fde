import { type DataVersion, parseVersion, sameVersion } from "./data_version.ts";

/** Entries of a table that one answer carries at most when it is asked for in pages (`splitMetadataSize`). */
const PAGE_SIZE = 2000;

/** What part of a table a request wants; absent fields are null. */
export interface PageRequest {
  readonly from: number | null;
  readonly max: number | null;
  /** The version that the pages before it had, as JSON text. */
  readonly dataVersion: string | null;
}

/**
 * The names of a page (21, 201): all of them when nothing was asked for; from the start when the table changed since
 * the page before (`subTopicConfigTable`).
 */
export function pageOf(names: readonly string[], version: DataVersion, request: PageRequest): readonly string[] {
  const { from, max, dataVersion } = request;
  if (from === null && max === null && dataVersion === null) return names.slice();
  const asked = dataVersion === null ? null : parseVersion(dataVersion);
  const begin = from !== null && from > 0 && asked !== null && sameVersion(asked, version) ? from : 0;
  return names.slice(begin, begin + Math.min(PAGE_SIZE, Math.max(0, max ?? PAGE_SIZE)));
}
