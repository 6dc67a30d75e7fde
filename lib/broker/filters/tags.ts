import { javaHash } from "@rmq/protocol";

/** Decides by a message's tags code (64 bits as two int32) whether a subscription wants it. */
export type TagsMatch = (high: number, low: number) => boolean;

/** Tags of a subscription text `a || b`; null: all of them (Apache: FilterAPI.buildSubscriptionData). */
export function tagsOf(expression: string): string[] | null {
  if (expression === "" || expression === "*") return null;
  const tags = expression.split("||").map((tag) => tag.trim()).filter((tag) => tag !== "");
  return tags.length === 0 ? [] : tags;
}

/**
 * The match for the hash codes of a subscription's tags. The broker looks at hashes only, 32 bits of them, as Apache
 * does: the client compares the text. An empty list matches everything.
 */
export function matchOfCodes(codes: readonly number[]): TagsMatch | null {
  if (codes.length === 0) return null;
  if (codes.length === 1) {
    const only = codes[0] | 0;
    return (_high, low) => low === only;
  }
  const all = new Set(codes.map((code) => code | 0));
  return (_high, low) => all.has(low);
}

const LONGEST_KEPT = 1024;

/** Matches by subscription text, kept: clients repeat the same few texts in every pull. */
export class TagsMatches {
  private readonly known = new Map<string, TagsMatch | null>();

  /** `limit`: texts remembered at most. */
  constructor(private readonly limit = 10_000) {}

  /** The match for `expression`; null: everything. */
  of(expression: string): TagsMatch | null {
    const known = this.known.get(expression);
    if (known !== undefined) return known;
    const tags = tagsOf(expression);
    const match = tags === null ? null : matchOfCodes(tags.map((tag) => javaHash(tag)));
    if (this.known.size >= this.limit) this.known.clear();
    // What is longer comes from nobody who repeats it, and must not fill the memory.
    if (expression.length <= LONGEST_KEPT) this.known.set(expression, match);
    return match;
  }
}
