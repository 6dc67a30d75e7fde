/** A command line, split. */
export interface SplitArguments {
  /** What commander reads. */
  readonly own: string[];
  /** Configuration keys and their values. */
  readonly keys: Record<string, string>;
}

/**
 * Takes `--key value`, `--key=value` and a bare `--key` (true) out of a command line; `ownFlags` are the long flags
 * that are not configuration keys. What follows `--` is left alone, and so are the words of `completion`.
 */
export function splitKeyFlags(words: readonly string[], ownFlags: ReadonlySet<string>): SplitArguments {
  const own: string[] = [];
  const keys: Record<string, string> = {};
  if (words[0] === "complete" || words[0] === "completion") return { own: [...words], keys };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === "--") {
      own.push(...words.slice(at));
      break;
    }
    const equals = word.indexOf("=");
    const flag = equals < 0 ? word : word.slice(0, equals);
    if (!/^--[A-Za-z]/.test(flag) || ownFlags.has(flag)) own.push(word);
    else if (equals >= 0) keys[flag.slice(2)] = word.slice(equals + 1);
    else if (at + 1 < words.length && !/^-{1,2}[A-Za-z]/.test(words[at + 1])) keys[flag.slice(2)] = words[++at];
    else keys[flag.slice(2)] = "true";
  }
  return { own, keys };
}
