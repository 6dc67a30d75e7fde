import type { Files, Platform } from "@rmq/platform";
import { type JsonObject, objectKeys, parseJson, toJson } from "@rmq/protocol";
import { ClientError } from "../client_error.ts";
import type { MessageQueue } from "../network/route.ts";
import type { CommittedOffset, OffsetStore } from "./offset_store.ts";

const encoder = new TextEncoder();
/** A client id that was made up for this run, whose offsets nobody would find again. */
const MADE_UP = /@\d+#\d+/;

/**
 * Offsets in a file of this machine, where and as Java's broadcasting consumers keep them:
 * `~/.rocketmq_offsets/<client id>/<group>/offsets.json`. A client without an id of its own counts as Java's `DEFAULT`
 * instance. (LocalFileOffsetStore)
 */
export class LocalOffsets implements OffsetStore {
  readonly #files: Files;
  readonly #directory: string;
  /** By group: offset by queue. */
  readonly #tables = new Map<string, Map<string, CommittedOffset>>();

  constructor(platform: Platform, clientId: string) {
    this.#files = platform.files;
    const name = clientId.replace(MADE_UP, "@DEFAULT");
    this.#directory = `${platform.process.homeDirectory}/.rocketmq_offsets/${name}`;
  }

  load(group: string, queue: MessageQueue): Promise<number | null> {
    try {
      return Promise.resolve(this.#table(group).get(keyOf(queue))?.offset ?? null);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A file is either the old one or the new one, whenever the program ends. */
  save(group: string, offsets: readonly CommittedOffset[]): Promise<void> {
    try {
      const table = this.#table(group);
      for (const each of offsets) table.set(keyOf(each.queue), each);
      const offsetTable = objectKeys(
        [...table.values()].map(({ queue: { brokerName, queueId, topic }, offset }) =>
          [{ brokerName, queueId, topic }, offset] as const
        ),
      );
      const path = this.#path(group);
      this.#files.makeDirectory(`${this.#directory}/${group}`);
      this.#files.writeWhole(`${path}.tmp`, encoder.encode(toJson({ offsetTable }, { pretty: true })));
      if (this.#files.stat(path) !== null) this.#files.rename(path, `${path}.bak`);
      this.#files.rename(`${path}.tmp`, path);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #path(group: string): string {
    return `${this.#directory}/${group}/offsets.json`;
  }

  #table(group: string): Map<string, CommittedOffset> {
    let table = this.#tables.get(group);
    if (table === undefined) {
      table = this.#read(this.#path(group)) ?? this.#read(`${this.#path(group)}.bak`) ?? new Map();
      this.#tables.set(group, table);
    }
    return table;
  }

  #read(path: string): Map<string, CommittedOffset> | null {
    const bytes = this.#files.readWhole(path);
    if (bytes === null || bytes.length === 0) return null;
    const table = new Map<string, CommittedOffset>();
    try {
      const { offsetTable } = parseJson(bytes) as JsonObject;
      for (const [name, offset] of Object.entries(offsetTable as JsonObject)) {
        const { topic, brokerName, queueId } = parseJson(name) as JsonObject;
        const queue = { topic: String(topic), brokerName: String(brokerName), queueId: Number(queueId) };
        table.set(keyOf(queue), { queue, offset: Number(offset) });
      }
    } catch (cause) {
      throw new ClientError("BAD_ANSWER", `${path} holds no offsets`, { cause });
    }
    return table;
  }
}

/** A text that is another one for each queue. */
export function keyOf({ topic, brokerName, queueId }: MessageQueue): string {
  return `${topic}\n${brokerName}\n${queueId}`;
}
