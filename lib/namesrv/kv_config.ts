import { type JsonObject, parseJson, toJson } from "@rmq/protocol";
import type { Platform } from "@rmq/platform";
import { DurableFile } from "./durable_file.ts";

/** The key-value config (100–102, 219), kept in one file as Apache's KVConfigManager writes it. */
export class KvConfig {
  readonly #namespaces = new Map<string, Map<string, string>>();
  readonly #file: DurableFile | null;

  /** `path` null keeps it in memory only. Throws PlatformError or JsonError when there is a file that can't be read. */
  constructor(platform: Platform, path: string | null) {
    this.#file = path === null ? null : new DurableFile(platform, path);
    const bytes = path === null ? null : platform.files.readWhole(path);
    if (bytes !== null && bytes.length > 0) this.#load(parseJson(bytes) as JsonObject);
  }

  #load(root: JsonObject): void {
    for (const [namespace, pairs] of Object.entries(root["configTable"] ?? {})) {
      const table = new Map<string, string>();
      for (const [key, value] of Object.entries(pairs ?? {})) table.set(key, String(value));
      this.#namespaces.set(namespace, table);
    }
  }

  get(namespace: string, key: string): string | null {
    return this.#namespaces.get(namespace)?.get(key) ?? null;
  }

  /** All pairs of a namespace, or null when it never had one. */
  table(namespace: string): ReadonlyMap<string, string> | null {
    return this.#namespaces.get(namespace) ?? null;
  }

  /** `done` runs when the change is on disk, with null or the reason why it is not. */
  put(namespace: string, key: string, value: string, done: (error: Error | null) => void): void {
    let table = this.#namespaces.get(namespace);
    if (table === undefined) this.#namespaces.set(namespace, table = new Map());
    table.set(key, value);
    this.#save(done);
  }

  delete(namespace: string, key: string, done: (error: Error | null) => void): void {
    if (this.#namespaces.get(namespace)?.delete(key)) this.#save(done);
    else done(null);
  }

  #save(done: (error: Error | null) => void): void {
    if (this.#file === null) done(null);
    else this.#file.save(() => new TextEncoder().encode(toJson({ configTable: this.#namespaces })), done);
  }
}
