import type { Clock } from "@rmq/platform";
import { topicListBody } from "./route_json.ts";
import type { RouteTable } from "./route_table.ts";

const SLICE = 2000;
const KEPT_LISTS = 64;

const utf8 = new TextEncoder();

interface Kept {
  readonly version: number;
  readonly body: Uint8Array;
}

interface Building {
  readonly topics: readonly string[];
  readonly version: number;
  readonly parts: Uint8Array[];
  readonly waiting: ((body: Uint8Array) => void)[];
  at: number;
  bytes: number;
  any: boolean;
}

/** Bodies of topic lists: built a slice a turn, and kept until the table changes. */
export class TopicLists {
  readonly #table: RouteTable;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  readonly #building = new Map<string, Building>();

  constructor(table: RouteTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** Hands the list of the topics that `belongs` lets through to `done`, at once or some turns later. */
  get(name: string, belongs: (topic: string) => boolean, done: (body: Uint8Array) => void): void {
    const kept = this.#kept.get(name);
    if (kept?.version === this.#table.version) return done(kept.body);
    const building = this.#building.get(name);
    if (building?.version === this.#table.version) return void building.waiting.push(done);
    const topics = this.#table.topics();
    const { version } = this.#table;
    if (topics.length <= SLICE) {
      const body = topicListBody(topics.filter(belongs), null);
      this.#keep(name, { version, body });
      return done(body);
    }
    const fresh: Building = { topics, version, parts: [], waiting: [done], at: 0, bytes: 0, any: false };
    this.#building.set(name, fresh);
    this.#slice(name, fresh, belongs);
  }

  #slice(name: string, building: Building, belongs: (topic: string) => boolean): void {
    const slice = building.topics.slice(building.at, building.at + SLICE).filter(belongs);
    if (slice.length > 0) {
      const text = JSON.stringify(slice).slice(1, -1);
      const part = utf8.encode(building.any ? `,${text}` : text);
      building.any = true;
      building.parts.push(part);
      building.bytes += part.length;
    }
    building.at += SLICE;
    if (building.at < building.topics.length) {
      this.#clock.setTimer(0, () => this.#slice(name, building, belongs));
      return;
    }
    const body = wholeList(building);
    this.#keep(name, { version: building.version, body });
    if (this.#building.get(name) === building) this.#building.delete(name);
    for (const done of building.waiting) done(body);
  }

  #keep(name: string, kept: Kept): void {
    if (this.#kept.size >= KEPT_LISTS) this.#kept.clear();
    this.#kept.set(name, kept);
  }
}

function wholeList(building: Building): Uint8Array {
  const head = utf8.encode('{"topicList":[');
  const tail = utf8.encode("]}");
  const body = new Uint8Array(head.length + building.bytes + tail.length);
  body.set(head);
  let at = head.length;
  for (const part of building.parts) {
    body.set(part, at);
    at += part.length;
  }
  body.set(tail, at);
  return body;
}
