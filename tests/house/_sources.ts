import { readdirSync, readFileSync } from "node:fs";

/** A TypeScript file of the tree. */
export interface Source {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of strings blanked out; lines stay where they are. */
  readonly code: string;
  readonly isTest: boolean;
}

/** The repository's root. */
export const root = new URL("../../", import.meta.url).pathname;

/** All TypeScript files below a folder. */
export function sources(folder: string): Source[] {
  return readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((path) => !path.includes("/node_modules/"))
    .map((path) => {
      const text = readFileSync(path, "utf8");
      const name = path.slice(path.lastIndexOf("/") + 1);
      // Files that only tests import start with `_` and a word of testing, or stand beside them.
      const isTest = /_test\.ts$|^_(suite|test|golden|fixture|scenario|fake|harness|sample|rig|probe|bench)/.test(name);
      return { path: path.slice(root.length), text, code: blanked(text), isTest };
    });
}

/** Names of the packages in `lib/`. */
export function packages(): string[] {
  return readdirSync(`${root}lib`, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) =>
    entry.name
  );
}

/** What a file imports and re-exports, as written. */
export function imports(source: Source): string[] {
  return [...source.text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);
}

// One pass over the alternatives that can hide each other. Regular expressions with quotes in them are rare enough
// here to be written otherwise.
function blanked(text: string): string {
  return text.replace(
    /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{[^`]*?\}|[^`\\])*`/g,
    (match) => {
      if (!match.startsWith("`")) return match.replace(/[^\n]/g, " ");
      // What stands in a template's ${} is code.
      return match.replace(/\$\{([^`]*?)\}|[^\n]/g, (piece) => (piece.startsWith("${") ? piece : " "));
    },
  );
}
