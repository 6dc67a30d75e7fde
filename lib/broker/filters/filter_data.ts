import type { JsonMembers } from "../json_members.ts";
import type { BloomData } from "./bloom.ts";
import type { SqlFilter } from "./sql_filter.ts";

/** The only expression type besides tags. */
export const SQL92 = "SQL92";

/** The expression that a group filters a topic by (`ConsumerFilterData`). */
export interface FilterData {
  readonly topic: string;
  readonly group: string;
  readonly filter: SqlFilter;
  readonly bloom: BloomData;
  /** ms since 1970 when it was registered. */
  readonly bornTime: number;
  /** ms since 1970 when its group left; 0 while it is there. */
  deadTime: number;
  /** The subscription's version: ms since 1970, ns from Go. */
  clientVersion: number;
}

/** Whether the group of a filter has left. */
export function isDead(data: FilterData): boolean {
  return data.deadTime >= data.bornTime;
}

/** As `consumerFilter.json` holds it, compact. */
export function filterDataJson(data: FilterData): string {
  return `{"bloomFilterData":{"bitNum":${data.bloom.bitNum},"bitPos":[${data.bloom.bitPos.join(",")}]},` +
    `"bornTime":${data.bornTime},"clientVersion":${data.clientVersion},` +
    `"consumerGroup":${JSON.stringify(data.group)},"dead":${isDead(data)},"deadTime":${data.deadTime},` +
    `"expression":${JSON.stringify(data.filter.expression)},"expressionType":"${SQL92}",` +
    `"topic":${JSON.stringify(data.topic)}}`;
}

/** What a row of `consumerFilter.json` says, its expression as text. Throws BadJson. */
export function readFilterRow(
  json: JsonMembers,
): Omit<FilterData, "filter" | "bloom"> & { readonly expression: string } {
  return {
    topic: json.text("topic") ?? "",
    group: json.text("consumerGroup") ?? "",
    expression: json.text("expression") ?? "",
    bornTime: json.int("bornTime", 0),
    deadTime: json.int("deadTime", 0),
    clientVersion: json.time("clientVersion", 0),
  };
}
