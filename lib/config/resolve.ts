import { ConfigError } from "./config_error.ts";
import { nearestName } from "./nearest.ts";
import { notBuilt } from "./not_built.ts";
import { parseProperties } from "./properties.ts";
import { type Origin, Settings } from "./settings.ts";
import { acceptedKeys, knownNames, type ServerKind, usedKeys, type ValuesByKind } from "./table.ts";
import { allowedValues, parseValue, type Value } from "./value.ts";

/** What the configuration is made of; each entry wins over those before it. */
export interface ConfigSources {
  /** What defaults are computed from. */
  readonly machine: {
    /** Home directory of the user. */
    readonly home: string;
    /** Host name. */
    readonly host: string;
    /** Address of an interface that others reach. */
    readonly address: string;
  };
  /** Defaults of the command, instead of the table's. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** The file given with `-c`. */
  readonly file?: { readonly path: string; readonly bytes: Uint8Array } | null;
  /** All environment variables: `RMQ_<key>`, and NAMESRV_ADDR, ROCKETMQ_HOME for defaults. */
  readonly variables: Readonly<Record<string, string>>;
  /** Flags, by key. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** A configuration, and what its owner should be told. */
export interface Resolved<K extends ServerKind> {
  /** All values. */
  readonly settings: Settings<ValuesByKind[K]>;
  /** One line each. */
  readonly warnings: readonly string[];
}

interface Given {
  readonly name: string;
  readonly text: string;
  readonly origin: Origin;
}

/** Reads the configuration of a server (admin.md §3, §4). Throws ConfigError with every problem that it found. */
export function resolve<K extends ServerKind>(kind: K, sources: ConfigSources): Resolved<K> {
  const used = usedKeys(kind);
  const accepted = acceptedKeys(kind);
  const known = knownNames();
  const values = new Map<string, Value>();
  const others = new Map<string, string>();
  const origins = new Map<string, Origin>();
  const warnings: string[] = [];
  const problems: string[] = [];

  for (const [name, key] of Object.entries(used)) {
    values.set(name, typeof key.default === "string" ? fillIn(key.default, sources) : key.default);
  }
  for (const [name, text] of Object.entries(accepted)) if (text !== null) others.set(name, fillIn(text, sources));

  for (const { name, text, origin } of given(sources, known)) {
    const key = Object.hasOwn(used, name) ? used[name] : undefined;
    if (!known.has(name)) {
      warnings.push(`${origin}: no key is called ${name}; the nearest is ${nearestName(name, known)}`);
    } else if (mustRefuse(name, text)) {
      problems.push(
        `${name}=${text} (${origin}): ${notBuilt[name].why}; allowed so far: ${notBuilt[name].only.join(", ")}`,
      );
    } else if (key === undefined) others.set(name, text.trim());
    else {
      const value = parseValue(key, text);
      if (value === null) problems.push(`${name}=${text} (${origin}): not allowed; it must be ${allowedValues(key)}`);
      else {
        values.set(name, value);
        origins.set(name, origin);
        if (text.includes("${")) warnings.push(`${name}=${text} (${origin}): \${…} is taken literally, as Apache does`);
      }
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { settings: new Settings(values, origins, others), warnings };
}

/** All that is set, weakest first. */
function* given(sources: ConfigSources, known: ReadonlySet<string>): Iterable<Given> {
  const { defaults = {}, file = null, variables, flags = {} } = sources;
  if (variables.NAMESRV_ADDR) yield { name: "namesrvAddr", text: variables.NAMESRV_ADDR, origin: "NAMESRV_ADDR" };
  for (const [name, text] of Object.entries(defaults)) yield { name, text, origin: "default" };
  if (file !== null) {
    for (const [name, text] of parseProperties(file.bytes, file.path)) yield { name, text, origin: file.path };
  }
  for (const [variable, text] of Object.entries(variables)) {
    if (!variable.startsWith("RMQ_")) continue;
    const bare = variable.slice("RMQ_".length);
    const dotted = bare.replaceAll("_", ".");
    yield { name: !known.has(bare) && known.has(dotted) ? dotted : bare, text, origin: variable };
  }
  for (const [name, text] of Object.entries(flags)) yield { name, text, origin: `--${name}` };
}

function mustRefuse(name: string, text: string): boolean {
  return Object.hasOwn(notBuilt, name) && !notBuilt[name].only.includes(text.trim());
}

function fillIn(text: string, sources: ConfigSources): string {
  const { home, host, address } = sources.machine;
  return text
    .replace("${home}", home)
    .replace("${host}", host)
    .replace("${address}", address)
    .replace(/\$\{env:(\w+)\}/, (_, name: string) => sources.variables[name] ?? "");
}
