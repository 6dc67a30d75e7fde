import { javaHash } from "@rmq/protocol";
import { ClientError } from "./client_error.ts";
import type { SubscriptionData } from "./network/network.ts";

/** A SQL92 filter, as `sql` makes it. */
export interface SqlFilter {
  /** Tells it from a tag expression. */
  readonly type: "SQL92";
  /** The expression. */
  readonly expression: string;
}

/** Which messages of a topic: a tag expression (`"A || B"`, `"*"`), or SQL. */
export type Filter = string | SqlFilter;

/** What can stand in a `sql` template. */
export type SqlValue = string | number | boolean | null | readonly (string | number)[];

/**
 * A SQL92 filter with its values escaped.
 *
 * ```ts
 * import { sql } from "@rmq/client";
 *
 * const filter = sql`age > ${18} AND name = ${"O'Hara"} AND city IN ${["Rome", "Oslo"]}`;
 * console.log(filter.expression); // age > 18 AND name = 'O''Hara' AND city IN ('Rome', 'Oslo')
 * ```
 *
 * Throws ClientError `BAD_ARGUMENT` for a value that SQL92 has no form for.
 */
export function sql(parts: TemplateStringsArray, ...values: readonly SqlValue[]): SqlFilter {
  let expression = parts[0];
  values.forEach((value, i) => expression += literal(value) + parts[i + 1]);
  if (expression.trim() === "") throw new ClientError("BAD_ARGUMENT", "an empty SQL filter");
  return { type: "SQL92", expression };
}

function literal(value: SqlValue): string {
  switch (typeof value) {
    case "string":
      return `'${value.replaceAll("'", "''")}'`;
    case "boolean":
      return value ? "TRUE" : "FALSE";
    case "number":
      return numberLiteral(value);
  }
  if (value === null) return "NULL";
  if (Array.isArray(value) && value.length > 0) return `(${value.map(literal).join(", ")})`;
  throw new ClientError("BAD_ARGUMENT", "a SQL filter takes strings, numbers, booleans, null and lists of them");
}

/** Apache's grammar has integers and decimals, and exponents behind a fraction only. */
function numberLiteral(value: number): string {
  const text = String(value);
  if (Number.isFinite(value) && !text.includes("e")) return text;
  throw new ClientError("BAD_ARGUMENT", `${text} has no form in a SQL filter`);
}

/**
 * The expression for any of these tags.
 *
 * ```ts
 * import { tag } from "@rmq/client";
 *
 * console.log(tag("paid", "shipped")); // paid || shipped
 * ```
 */
export function tag(...tags: readonly string[]): string {
  if (tags.length === 0) throw new ClientError("BAD_ARGUMENT", "no tag");
  for (const each of tags) {
    if (each.trim() === "" || each.includes("||")) throw new ClientError("BAD_ARGUMENT", `"${each}" is no tag`);
  }
  return tags.join(" || ");
}

/** What brokers are told of a filter. (FilterAPI.buildSubscriptionData) `topic` with the namespace. */
export function subscriptionData(topic: string, filter: Filter | undefined, subVersion: number): SubscriptionData {
  if (typeof filter === "object") {
    const { expression: subString } = filter;
    return { topic, subString, expressionType: "SQL92", tagsSet: [], codeSet: [], subVersion };
  }
  const subString = filter === undefined || filter.trim() === "" ? "*" : filter.trim();
  if (subString === "*") return { topic, subString, expressionType: "TAG", tagsSet: [], codeSet: [], subVersion };
  const tagsSet = [...new Set(subString.split("||").map((each) => each.trim()).filter((each) => each !== ""))];
  if (tagsSet.length === 0) throw new ClientError("BAD_ARGUMENT", `"${subString}" names no tag`);
  return { topic, subString, expressionType: "TAG", tagsSet, codeSet: tagsSet.map(javaHash), subVersion };
}
