import {
  type ConfigSources,
  listProperties,
  parseProperties,
  resolve,
  type Resolved,
  type ServerKind,
  tlsKeys,
} from "@rmq/config";
import { type Platform, PlatformError } from "@rmq/platform";
import { localAddress } from "./local_address.ts";
import type { ServerFlags } from "./program.ts";
import { UserError } from "./user_error.ts";

/** What a command adds to the sources that all have in common. */
export interface CommandDefaults {
  /** Defaults instead of the table's. */
  readonly defaults?: Readonly<Record<string, string>>;
  /** False: this server takes no file, variables and flags; its command decides all. */
  readonly given?: boolean;
}

/** Reads a server's configuration: defaults, file, variables, flags. Throws ConfigError or UserError. */
export function configure<K extends ServerKind>(
  kind: K,
  platform: Platform,
  flags: ServerFlags,
  keys: Readonly<Record<string, string>>,
  { defaults = {}, given = true }: CommandDefaults = {},
): Resolved<K> {
  const { process, net } = platform;
  const path = given ? flags.configFile : undefined;
  const sources: ConfigSources = {
    machine: { home: process.homeDirectory, host: process.hostName, address: localAddress(net.interfaces()) },
    defaults,
    file: path === undefined ? null : { path, bytes: readFile(platform, path, true) ?? new Uint8Array() },
    variables: given ? process.environment() : {},
    flags: given ? { ...keys, ...flagKeys(flags) } : {},
  };
  const first = resolve(kind, sources);
  const tlsFile = first.settings.get("tls.config.file");
  const tls = given ? readFile(platform, tlsFile, false) : null;
  if (tls === null) return first;
  const entries = [...parseProperties(tls, tlsFile)].filter(([name]) => Object.hasOwn(tlsKeys, name));
  return resolve(kind, { ...sources, defaults: { ...defaults, ...Object.fromEntries(entries) } });
}

/** Prints the properties if that is all that was asked for. Tells whether it did. */
export function printed<K extends ServerKind>(
  kind: K,
  platform: Platform,
  flags: ServerFlags,
  { settings }: Resolved<K>,
): boolean {
  if (!flags.printConfig && !flags.printImportantConfig) return false;
  const lines = listProperties(kind, settings, !flags.printConfig);
  platform.process.write("out", lines.map((line) => `${line}\n`).join(""));
  return true;
}

/** The configuration keys that short flags stand for. */
function flagKeys(flags: ServerFlags): Record<string, string> {
  const keys: Record<string, string> = {};
  if (flags.port !== undefined) keys.listenPort = flags.port;
  if (flags.namesrvAddr !== undefined) keys.namesrvAddr = flags.namesrvAddr;
  if (flags.advertise !== undefined) {
    const match = /^(\[[^\]]+\]|[^:[\]]+)(?::(\d+))?$/.exec(flags.advertise);
    if (match === null) {
      throw new UserError(`--advertise ${flags.advertise}: it must be HOST, HOST:PORT or [IPv6]:PORT`);
    }
    keys.brokerIP1 = match[1];
    if (match[2] !== undefined) keys.advertisedPort = match[2];
  }
  return keys;
}

function readFile(platform: Platform, path: string, mustExist: boolean): Uint8Array | null {
  try {
    const bytes = platform.files.readWhole(path);
    if (bytes === null && mustExist) throw new UserError(`${path}: there is no such file; check the path after -c`);
    return bytes;
  } catch (error) {
    if (error instanceof PlatformError) throw new UserError(`${path} can't be read: ${error.message}`);
    throw error;
  }
}
