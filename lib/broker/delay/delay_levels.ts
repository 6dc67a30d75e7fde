import type { Logger, Platform, Timer } from "@rmq/platform";
import {
  HALF_TOPIC,
  KnownProperty,
  MessageDraft,
  RequestCode,
  ResponseCode,
  SCHEDULE_TOPIC,
  type StoredMessage,
} from "@rmq/protocol";
import type { Handler } from "@rmq/remoting";
import { AppendStatus, type Store } from "@rmq/store";
import { type DataVersion, firstVersion, nextVersion, readVersion, versionJson } from "../data_version.ts";
import { draftOfStored } from "../delivery/draft_of_stored.ts";
import type { Put } from "../delivery/put.ts";
import type { Rewriter } from "../delivery/rewriters.ts";
import { DurableText, type TextFile } from "../durable_text.ts";
import { indentJson } from "../indent_json.ts";
import { JsonMembers } from "../json_members.ts";
import type { TopicTable } from "../topics/topic_table.ts";
import { DelayLevel } from "./delay_level.ts";
import { parseDelayTimes } from "./delay_times.ts";
import { scheduleRewriter } from "./schedule_rewriter.ts";

/** Deliveries between two versions of the progress (`delayOffsetUpdateVersionStep`). */
const MOVES_PER_VERSION = 200;
/** At the end, deliveries under way get so long to become safe. */
const CLOSE_PATIENCE_MS = 1000;
const encoder = new TextEncoder();

/** What the delay levels are made of. */
export interface DelayLevelsOptions {
  readonly platform: Pick<Platform, "clock">;
  readonly logger: Logger;
  readonly settings: { readonly messageDelayLevel: string; readonly flushDelayOffsetInterval: number };
  readonly store: Pick<Store, "get" | "onEntry">;
  readonly topics: Pick<TopicTable, "get">;
  /** config/delayOffset.json */
  readonly file: TextFile;
}

/**
 * Messages with a delay level: on their way in they go to the schedule topic, and when they are due they are put into
 * the queue they were sent to (storage §10, `ScheduleMessageService`). Progress is kept in config/delayOffset.json; what
 * was delivered after its last write is delivered again after a crash.
 */
export class DelayLevels {
  /** Sends messages with a DELAY property to the schedule topic. */
  readonly rewriter: Rewriter;
  readonly #options: DelayLevelsOptions;
  readonly #delays: readonly number[];
  readonly #progress = new Map<number, number>();
  readonly #levels: DelayLevel[] = [];
  readonly #draft = new MessageDraft();
  readonly #file: DurableText;
  #version: DataVersion;
  #moves = 0;
  #dirty = false;
  #timer: Timer | null = null;
  #put: Put | null = null;
  /** The topic that was missed last: one line for all messages in a row that had it. */
  #missedTopic: string | null | undefined = undefined;

  /** Reads the progress. Throws DelayLevelError when `messageDelayLevel` can't be read. */
  constructor(options: DelayLevelsOptions) {
    const { platform, logger, settings, topics, file } = options;
    this.#options = options;
    this.#delays = parseDelayTimes(settings.messageDelayLevel);
    this.rewriter = scheduleRewriter(topics, this.#delays.length);
    this.#version = firstVersion(platform.clock);
    this.#file = new DurableText(file, platform.clock, logger, () => [indentJson(this.json(), 0)].values());
    file.load((text) => this.#read(text));
  }

  /** Begins to deliver through `put`. */
  start(put: Put): void {
    const { platform, settings, store, topics } = this.#options;
    const schedule = topics.get(SCHEDULE_TOPIC);
    if (schedule === null) return;
    this.#put = put;
    this.#delays.forEach((delayMs, index) => {
      const level = index + 1;
      this.#levels.push(
        new DelayLevel({
          clock: platform.clock,
          store,
          delayMs,
          queue: schedule.queue(index),
          deliver: (message, done) => this.#deliver(message, done),
          moved: () => this.#moved(level),
        }, this.#progress.get(level) ?? 0),
      );
    });
    store.onEntry(({ queue, message, tagsHigh, tagsLow }) => {
      if (queue === null || queue.topic !== SCHEDULE_TOPIC) return;
      this.#levels[queue.queueId]?.stored(message.queueOffset, tagsHigh * 0x1_0000_0000 + (tagsLow >>> 0));
    });
    for (const level of this.#levels) level.start();
    this.#timer = platform.clock.every(settings.flushDelayOffsetInterval, () => this.#save());
  }

  /** Progress as delayOffset.json holds it, in one line. */
  json(): string {
    const levels = [...this.#progress].sort(([a], [b]) => a - b).map(([level, offset]) => `${level}:${offset}`);
    return `{"dataVersion":${versionJson(this.#version)},"offsetTable":{${levels.join(",")}}}`;
  }

  /** The request for the progress: 45 (`AdminBrokerProcessor.getAllDelayOffset`). */
  handlers(): [code: number, handler: Handler][] {
    return [[RequestCode.GET_ALL_DELAY_OFFSET, (header, connection) => {
      connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body: encoder.encode(this.json()) });
    }]];
  }

  /** Delivers nothing more, lets what is under way become safe, and writes the progress. */
  close(done: () => void): void {
    this.#timer?.cancel();
    let open = this.#levels.length + 1;
    const one = () => {
      if (--open > 0) return;
      this.#save();
      this.#file.close(done);
    };
    for (const level of this.#levels) level.close(CLOSE_PATIENCE_MS, one);
    one();
  }

  #save(): void {
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#file.write();
  }

  #moved(level: number): void {
    this.#progress.set(level, this.#levels[level - 1].progress);
    this.#dirty = true;
    if (++this.#moves % MOVES_PER_VERSION === 0) {
      this.#version = nextVersion(this.#version, this.#options.platform.clock);
    }
  }

  /** The message goes into its own topic with the properties to the letter, DELAY and REAL_… included, as Apache leaves them. */
  #deliver(message: StoredMessage, done: (status: number) => void): void {
    const { topics, logger } = this.#options;
    const draft = this.#draft;
    draftOfStored(message, draft);
    const name = draft.properties.text(KnownProperty.REAL_TOPIC);
    const topic = name === null || name === HALF_TOPIC ? null : topics.get(name);
    const queueId = topic?.realQueueId(draft.properties.text(KnownProperty.REAL_QID)) ?? -1;
    if (topic === null || queueId < 0) {
      if (this.#missedTopic !== name) {
        logger.warn("delayed messages have no topic to go to and are dropped", { topic: name });
      }
      this.#missedTopic = name;
      return done(AppendStatus.OK);
    }
    const bytes = draft.bodyEnd - draft.bodyStart;
    this.#put?.put(draft, topic, queueId, false, (status) => {
      if (status === AppendStatus.OK) {
        topic.putCount++;
        topic.putBytes += bytes;
      } else if (status === AppendStatus.MESSAGE_ILLEGAL || status === AppendStatus.PROPERTIES_SIZE_EXCEEDED) {
        // Trying again would stop the level for good.
        logger.error("a delayed message can't be stored in its topic and is dropped", { topic: topic.name, status });
        return done(AppendStatus.OK);
      }
      done(status);
    });
  }

  #read(text: string): boolean {
    const root = JsonMembers.parse(text);
    const table = root?.object("offsetTable") ?? null;
    if (root === null || table === null) return false;
    for (const level of table.names()) this.#progress.set(Number(level), table.int(level, 0));
    this.#version = readVersion(root, this.#version);
    return true;
  }
}
