import { type JsonObject, type JsonValue, parseJson } from "@rmq/protocol";
import type { DataVersion, QueueData, RegisteredTopic, RegistrationBody, TopicQueueMapping } from "./route_types.ts";

/** A body that cannot be read. */
export class BodyError extends Error {
  override readonly name = "BodyError";
  constructor(readonly code: "BAD_JSON" | "BAD_LENGTH", message: string) {
    super(message);
  }
}

const NO_VERSION: DataVersion = { counter: 0, stateVersion: 0, timestamp: 0 };
const MAPPINGS_SINCE = 413;
const WHOLE_BODY_SINCE = 37;

/** What a registration without a body stands for. */
export const emptyRegistrationBody: RegistrationBody = {
  dataVersion: NO_VERSION,
  topics: [],
  mappings: [],
  filterServers: null,
};

/** The JSON body of 103: RegisterBrokerBody, or from brokers before 3.0.11 the topic table alone. Throws BodyError. */
export function readRegistrationBody(bytes: Uint8Array, version: number): RegistrationBody {
  const root = objectOf(readJson(bytes));
  if (version < WHOLE_BODY_SINCE) return topicTable(root, null);
  return topicTable(objectOf(root["topicConfigSerializeWrapper"]), texts(root["filterServerList"]));
}

/**
 * The compressed body of 103 (remoting.md §13.1), after inflating. Throws BodyError.
 *
 * 4+n DataVersion JSON | 4 topics | each 4+n "name read write perm filterType [attributes JSON]"
 * | 4+n filter servers, JSON array | from 5.0.0: 4 mappings | each 4+n TopicQueueMappingInfo JSON
 */
export function readCompactRegistrationBody(bytes: Uint8Array, version: number): RegistrationBody {
  const reader = new CountedReader(bytes);
  const dataVersion = dataVersionOf(readJson(reader.next()));
  const topics: RegisteredTopic[] = [];
  for (let left = reader.int(); left > 0; left--) topics.push(topicOfText(reader.text()));
  const filterServers = texts(readJson(reader.next()));
  const mappings: [string, TopicQueueMapping][] = [];
  for (let left = version >= MAPPINGS_SINCE && !reader.done ? reader.int() : 0; left > 0; left--) {
    const mapping = mappingOf(objectOf(readJson(reader.next())));
    mappings.push([mapping.topic, mapping]);
  }
  return { dataVersion, topics, mappings, filterServers };
}

/** Topics of a part of the topic table: members in standard JSON at bytes[start, end). Throws SyntaxError. */
export function readTopics(bytes: Uint8Array, start: number, end: number): RegisteredTopic[] {
  const members = JSON.parse(`{${new TextDecoder().decode(bytes.subarray(start, end))}}`) as JsonObject;
  return topicsOf(members);
}

/** A DataVersion body (322), or null without one. */
export function readDataVersion(bytes: Uint8Array): DataVersion | null {
  return bytes.length === 0 ? null : dataVersionOf(readJson(bytes));
}

/** `queueDatas` of a TopicRouteData body (217). */
export function readQueueDatas(bytes: Uint8Array): QueueData[] {
  const list = bytes.length === 0 ? null : objectOf(readJson(bytes))["queueDatas"];
  return (Array.isArray(list) ? list : []).map((item) => {
    const data = objectOf(item);
    return {
      brokerName: text(data["brokerName"], ""),
      perm: int(data["perm"], 0),
      readQueueNums: int(data["readQueueNums"], 0),
      topicSysFlag: int(data["topicSysFlag"] ?? data["topicSynFlag"] ?? null, 0),
      writeQueueNums: int(data["writeQueueNums"], 0),
    };
  });
}

class CountedReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  int(): number {
    if (this.#at + 4 > this.#bytes.length) throw new BodyError("BAD_LENGTH", "a registration body ends early");
    const value = this.#view.getInt32(this.#at);
    this.#at += 4;
    return value;
  }

  next(): Uint8Array {
    const length = this.int();
    const end = this.#at + length;
    if (length < 0 || end > this.#bytes.length) throw new BodyError("BAD_LENGTH", "a registration body ends early");
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  text(): string {
    return new TextDecoder().decode(this.next());
  }
}

/** Standard JSON, which is most of it, is read by the runtime. */
function readJson(bytes: Uint8Array): JsonValue {
  const source = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(source) as JsonValue;
  } catch {
    try {
      return parseJson(source);
    } catch (error) {
      throw new BodyError("BAD_JSON", error instanceof Error ? error.message : String(error));
    }
  }
}

function topicTable(wrapper: JsonObject, filterServers: string[] | null): RegistrationBody {
  const topics = topicsOf(objectOf(wrapper["topicConfigTable"]));
  const mappings = Object.entries(objectOf(wrapper["topicQueueMappingInfoMap"]))
    .map(([topic, mapping]) => [topic, mappingOf(objectOf(mapping))] as const);
  return { dataVersion: dataVersionOf(wrapper["dataVersion"]), topics, mappings, filterServers };
}

function topicsOf(members: JsonObject): RegisteredTopic[] {
  return Object.entries(members).map(([name, config]) => topicOf(name, objectOf(config)));
}

function topicOf(name: string, config: JsonObject): RegisteredTopic {
  return {
    topicName: text(config["topicName"], name),
    perm: int(config["perm"], 6),
    readQueueNums: int(config["readQueueNums"], 16),
    topicSysFlag: int(config["topicSysFlag"], 0),
    writeQueueNums: int(config["writeQueueNums"], 16),
  };
}

function topicOfText(line: string): RegisteredTopic {
  const [topicName = "", read, write, perm] = line.split(" ");
  return {
    topicName,
    perm: int(perm, 6),
    readQueueNums: int(read, 16),
    topicSysFlag: 0,
    writeQueueNums: int(write, 16),
  };
}

function mappingOf(info: JsonObject): TopicQueueMapping {
  const ids = Object.entries(objectOf(info["currIdMap"])).map(([id, value]) => [int(id, 0), int(value, 0)] as const);
  return {
    bname: text(info["bname"], ""),
    currIdMap: new Map(ids),
    dirty: info["dirty"] === true || info["dirty"] === "true",
    epoch: int(info["epoch"], 0),
    scope: text(info["scope"], "__global__"),
    topic: text(info["topic"], ""),
    totalQueues: int(info["totalQueues"], 0),
  };
}

function dataVersionOf(value: JsonValue | undefined): DataVersion {
  const version = objectOf(value);
  return {
    counter: int(version["counter"], 0),
    stateVersion: int(version["stateVersion"], 0),
    timestamp: int(version["timestamp"], 0),
  };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

function text(value: JsonValue | undefined, fallback: string): string {
  return typeof value === "string" ? value : fallback;
}

function texts(value: JsonValue | undefined): string[] | null {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : null;
}

function int(value: JsonValue | undefined, fallback: number): number {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : fallback;
}
