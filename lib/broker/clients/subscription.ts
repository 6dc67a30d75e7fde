import { javaHash } from "@rmq/protocol";
import type { JsonMembers } from "../json_members.ts";

/** What a group wants of a topic (`SubscriptionData`). */
export interface SubscriptionData {
  readonly topic: string;
  /** Expression: tags joined by `||`, `*`, or SQL. */
  readonly subString: string;
  readonly tagsSet: readonly string[];
  /** Java hashes of the tags. */
  readonly codeSet: readonly number[];
  /** When the client made it: ms since 1970, or ns from Go. */
  readonly subVersion: number;
  /** `TAG` or `SQL92`. */
  readonly expressionType: string;
  readonly classFilterMode: boolean;
}

/** Matches everything. */
export const SUBSCRIBE_ALL = "*";

/** Whether an expression is about tags; null and empty count as such (`ExpressionType.isTagType`). */
export function isTagType(expressionType: string | null): boolean {
  return expressionType === null || expressionType === "" || expressionType === "TAG";
}

/** A subscription as heartbeats carry it; the codes of tags that came without are computed. Throws BadJson. */
export function parseSubscription(json: JsonMembers): SubscriptionData {
  const tagsSet = json.list("tagsSet").map(String);
  const codes = json.list("codeSet").map(Number).filter(Number.isSafeInteger);
  return {
    topic: json.text("topic") ?? "",
    subString: json.text("subString") ?? "",
    tagsSet,
    codeSet: codes.length === 0 && tagsSet.length > 0 ? tagsSet.map(javaHash) : codes,
    subVersion: json.time("subVersion", 0),
    expressionType: json.text("expressionType") ?? "TAG",
    classFilterMode: json.bool("classFilterMode", false),
  };
}

/** A subscription made of an expression in a request (`FilterAPI.build`); null: the expression is empty. */
export function buildSubscription(
  topic: string,
  expression: string | null,
  expressionType: string | null,
  subVersion: number,
): SubscriptionData | null {
  const common = { topic, subVersion, classFilterMode: false };
  if (!isTagType(expressionType)) {
    if (expression === null || expression === "") return null;
    return { ...common, subString: expression, tagsSet: [], codeSet: [], expressionType: expressionType ?? "TAG" };
  }
  if (expression === null || expression === "" || expression === SUBSCRIBE_ALL) {
    return { ...common, subString: SUBSCRIBE_ALL, tagsSet: [], codeSet: [], expressionType: "TAG" };
  }
  const tagsSet = expression.split("||").map((tag) => tag.trim()).filter((tag) => tag !== "");
  if (tagsSet.length === 0) return null;
  return { ...common, subString: expression, tagsSet, codeSet: tagsSet.map(javaHash), expressionType: "TAG" };
}

/** One line of JSON as fastjson writes it. */
export function subscriptionJson(data: SubscriptionData): string {
  return `{"classFilterMode":${data.classFilterMode},"codeSet":[${data.codeSet.join(",")}],` +
    `"expressionType":${JSON.stringify(data.expressionType)},"subString":${JSON.stringify(data.subString)},` +
    `"subVersion":${data.subVersion},"tagsSet":${JSON.stringify(data.tagsSet)},"topic":${JSON.stringify(data.topic)}}`;
}
