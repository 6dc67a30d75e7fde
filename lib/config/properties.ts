import { ConfigError } from "./config_error.ts";

/**
 * Reads a Java properties file as `java.util.Properties.load` does: bytes are ISO 8859-1; `#` and `!` begin comments;
 * a key ends at `=`, `:` or blank; a line that ends in an odd number of backslashes goes on in the next one, whose
 * leading blanks don't count; `\t \n \f \r \uXXXX` are characters, any other escaped character is itself. The last of
 * several lines with one key wins. Throws ConfigError for a malformed `\u`.
 */
export function parseProperties(bytes: Uint8Array, path: string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of logicalLines(new TextDecoder("iso-8859-1").decode(bytes))) {
    const keyEnd = endOfKey(line);
    let valueStart = skipBlanks(line, keyEnd);
    if (line[valueStart] === "=" || line[valueStart] === ":") valueStart = skipBlanks(line, valueStart + 1);
    entries.set(unescape(line.slice(0, keyEnd), path), unescape(line.slice(valueStart), path));
  }
  return entries;
}

function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open: string | null = null;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const line = natural.slice(skipBlanks(natural, 0));
    // Only the first of several joined lines may be a comment or empty.
    if (open === null && (line === "" || line.startsWith("#") || line.startsWith("!"))) continue;
    const joined: string = (open ?? "") + line;
    const continues = endsInOddBackslashes(line);
    if (continues) open = joined.slice(0, -1);
    else {
      lines.push(joined);
      open = null;
    }
  }
  if (open !== null && open !== "") lines.push(open);
  return lines;
}

function endsInOddBackslashes(line: string): boolean {
  let count = 0;
  while (line[line.length - 1 - count] === "\\") count++;
  return count % 2 === 1;
}

function endOfKey(line: string): number {
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") at++;
    else if (line[at] === "=" || line[at] === ":" || isBlank(line[at])) return at;
  }
  return line.length;
}

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (at < line.length && isBlank(line[at])) at++;
  return at;
}

function isBlank(character: string): boolean {
  return character === " " || character === "\t" || character === "\f";
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescape(text: string, path: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) => {
    if (escaped.length === 5) return String.fromCharCode(parseInt(escaped.slice(1), 16));
    if (escaped === "u") {
      throw new ConfigError([`${path}: malformed \\u escape in "${text}"; four hex digits follow \\u`]);
    }
    return ESCAPES[escaped] ?? escaped;
  });
}
