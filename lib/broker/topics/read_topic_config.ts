import type { JsonMembers } from "../json_members.ts";
import { newTopicConfig, type TopicConfig } from "./topic_config.ts";

/** A topic's set-up from topics.json or a request body; absent members get Apache's defaults. Throws BadJson. */
export function readTopicConfig(json: JsonMembers, name: string): TopicConfig {
  const usual = newTopicConfig(name);
  return {
    topicName: json.text("topicName") ?? name,
    readQueueNums: json.int("readQueueNums", usual.readQueueNums),
    writeQueueNums: json.int("writeQueueNums", usual.writeQueueNums),
    perm: json.int("perm", usual.perm),
    topicFilterType: json.text("topicFilterType") === "MULTI_TAG" ? "MULTI_TAG" : "SINGLE_TAG",
    topicSysFlag: json.int("topicSysFlag", 0),
    order: json.bool("order", false),
    attributes: json.object("attributes")?.texts() ?? {},
  };
}
