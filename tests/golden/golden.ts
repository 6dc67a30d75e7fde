/**
 * Reads the golden data beside this file: what a live Apache RocketMQ 5.5.0 and its clients sent and stored.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** One direction of a captured exchange. */
export interface GoldenFrame {
  readonly header_type: "JSON" | "ROCKETMQ";
  /** As on the wire; for ROCKETMQ a decoded view. */
  readonly header_text: string;
  readonly header_hex?: string;
  readonly body_base64?: string;
  readonly body_cut?: boolean;
  readonly body_length?: number;
  readonly frame_base64?: string;
}

/** A request with its answer, if there was one. */
export interface GoldenExchange {
  readonly scenario: string;
  readonly client: string;
  readonly direction: string;
  readonly code: number;
  readonly name: string;
  readonly oneway: boolean;
  readonly request: GoldenFrame | null;
  readonly response: GoldenFrame | null;
}

/** SHA-256 in lower-case hex, as the manifest tells bodies. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const here = (path: string) => new URL(path, import.meta.url);

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** All exchanges of one file (`produce`, `probe-broker` …), or of all of them; `ha` has another format. */
export function goldenExchanges(file?: string): GoldenExchange[] {
  const names = file === undefined ? readdirSync(here("./frames")).sort() : [`${file}.jsonl.gz`];
  return names.filter((name) => !name.startsWith("ha.")).flatMap((name) => goldenLines<GoldenExchange>(name));
}

/** The lines of one file under `frames/`. */
export function goldenLines<T>(name: string): T[] {
  const text = new TextDecoder().decode(gunzipSync(readFileSync(here(`./frames/${name}`))));
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
}

/** The files of `store-clean` or `store-killed` by their path in the archive. */
export function goldenStore(name: "store-clean" | "store-killed"): Map<string, Uint8Array> {
  // Plain bytes: a Buffer's slice would be a view.
  const tar = new Uint8Array(gunzipSync(readFileSync(here(`./${name}.tar.gz`))));
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number) => new TextDecoder().decode(tar.subarray(at, at + length)).split("\0")[0];
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    const prefix = text(at + 345, 155);
    const path = (prefix === "" ? "" : prefix + "/") + text(at, 100);
    if (tar[at + 156] === 0x30 || tar[at + 156] === 0) files.set(path, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** One message as the manifest tells it. */
export interface GoldenMessage {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly commitLogOffset: number;
  readonly size: number;
  readonly sysFlag: number;
  readonly flag: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly keys: string | null;
  readonly tags: string | null;
  readonly bodyLength: number;
  readonly storedBodyLength: number;
  /** Of the decompressed body, hex. */
  readonly bodySha256: string;
}

/** What a store contains, in commit log order. The killed store has these after those of the clean one. */
export interface GoldenManifest {
  readonly maxPhysicalOffset: number;
  /** By `topic@queue`. */
  readonly maxQueueOffsets: Record<string, number>;
  readonly messages: GoldenMessage[];
}

export function goldenManifest(state: "clean" | "killed"): GoldenManifest {
  const manifest = JSON.parse(readFileSync(here("./manifest.json"), "utf8"));
  const columns: string[] = manifest.columns;
  const messages = manifest[state].messages.map((row: unknown[]) =>
    Object.fromEntries(columns.map((column, i) => [column, row[i]]))
  );
  return { ...manifest[state], messages };
}
