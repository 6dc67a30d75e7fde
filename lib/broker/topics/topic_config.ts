import { Perm } from "@rmq/protocol";

/** How a topic is set up (`TopicConfig`). */
export interface TopicConfig {
  readonly topicName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** Bits of `Perm`. */
  readonly perm: number;
  readonly topicFilterType: "SINGLE_TAG" | "MULTI_TAG";
  readonly topicSysFlag: number;
  readonly order: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Apache's defaults, with what the caller knows better. */
export function newTopicConfig(topicName: string, known: Partial<Omit<TopicConfig, "topicName">> = {}): TopicConfig {
  return {
    topicName,
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: Perm.READ | Perm.WRITE,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: false,
    attributes: {},
    ...known,
  };
}

/** One line of JSON as fastjson writes it: keys in order. */
export function topicConfigJson(config: TopicConfig): string {
  return `{"attributes":${attributesJson(config.attributes)},"order":${config.order},"perm":${config.perm},` +
    `"readQueueNums":${config.readQueueNums},"topicFilterType":"${config.topicFilterType}",` +
    `"topicName":${JSON.stringify(config.topicName)},"topicSysFlag":${config.topicSysFlag},` +
    `"writeQueueNums":${config.writeQueueNums}}`;
}

/** A text-to-text map as JSON, keys in order. */
export function attributesJson(attributes: Readonly<Record<string, string>>): string {
  const members = Object.keys(attributes).sort().map((key) =>
    `${JSON.stringify(key)}:${JSON.stringify(attributes[key])}`
  );
  return `{${members.join(",")}}`;
}

/** Whether two set-ups are the same in every member. */
export function sameTopicConfig(a: TopicConfig, b: TopicConfig): boolean {
  return topicConfigJson(a) === topicConfigJson(b);
}
