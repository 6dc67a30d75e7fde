/**
 * Compact JSON laid out as Apache's files are: one member a line, tabs, no blank after a colon, `{}` and `[]` when empty.
 * `depth` is the level that the value itself stands on; the text begins without indentation.
 */
export function indentJson(compact: string, depth: number): string {
  let out = "";
  let from = 0;
  let level = depth;
  for (let i = 0; i < compact.length; i++) {
    const c = compact.charCodeAt(i);
    if (c === QUOTE) i = endOfText(compact, i);
    else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
      const next = compact.charCodeAt(i + 1);
      if (next === CLOSE_BRACE || next === CLOSE_BRACKET) i++;
      else {
        out += compact.slice(from, i + 1) + line(++level);
        from = i + 1;
      }
    } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
      out += compact.slice(from, i) + line(--level);
      from = i;
    } else if (c === COMMA) {
      out += compact.slice(from, i + 1) + line(level);
      from = i + 1;
    }
  }
  return out + compact.slice(from);
}

/** The members of an object on the second level of a file, a line each: `{}` when there are none. */
export function* bracedLines(members: Iterable<{ readonly indented: string }>): IterableIterator<string> {
  let separator = "{\n";
  for (const member of members) {
    yield separator + member.indented;
    separator = ",\n";
  }
  yield separator === ",\n" ? "\n\t}" : "{}";
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

function line(level: number): string {
  return "\n" + "\t".repeat(level);
}

/** Position of the quote that ends the text which begins at `at`. */
function endOfText(compact: string, at: number): number {
  let i = at + 1;
  while (i < compact.length && compact.charCodeAt(i) !== QUOTE) i += compact.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i;
}
