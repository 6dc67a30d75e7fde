import type { Done } from "@rmq/platform";
import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Answer } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerSliced } from "../answer_sliced.ts";
import { alterAttributes, AttributeError, parseAttributes, topicAttributes } from "../attributes.ts";
import { versionJson } from "../data_version.ts";
import { BadJson, JsonMembers } from "../json_members.ts";
import { pageOf } from "../paging.ts";
import { requiredInt, requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { readTopicConfig } from "./read_topic_config.ts";
import { newTopicConfig, type TopicConfig } from "./topic_config.ts";
import { topicNameProblem } from "./topic_name.ts";

/** The remark that Apache leaves on the success of some requests. */
const NOT_SET = "not set any response code";
const encoder = new TextEncoder();

/** Requests about topics: 17, 18, 21, 215, 351 (`AdminBrokerProcessor`). */
export function topicHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.UPDATE_AND_CREATE_TOPIC, (header, connection) => updateTopic(state, header, connection)],
    [RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, (header, connection) => updateTopics(state, header, connection)],
    [RequestCode.GET_ALL_TOPIC_CONFIG, (header, connection) => getAllTopics(state, header, connection)],
    [RequestCode.DELETE_TOPIC_IN_BROKER, (header, connection) => deleteTopic(state, header, connection)],
    [RequestCode.GET_TOPIC_CONFIG, (header, connection) => getTopic(state, header, connection)],
  ];
}

function updateTopic(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.UPDATE_AND_CREATE_TOPIC;
  const filterType = header.text(F.topicFilterType);
  if (filterType !== "SINGLE_TAG" && filterType !== "MULTI_TAG") {
    return connection.answer(header.opaque, {
      code: ResponseCode.SYSTEM_ERROR,
      remark: `topicFilterType = [${filterType}] value invalid`,
    });
  }
  const name = header.text(F.topic) ?? "";
  const refusal = nameRefusal(state, name);
  if (refusal !== null) return connection.answer(header.opaque, refusal);
  createTopics(state, header, connection, () => [
    newTopicConfig(name, {
      readQueueNums: requiredInt(header, F.readQueueNums, "readQueueNums"),
      writeQueueNums: requiredInt(header, F.writeQueueNums, "writeQueueNums"),
      perm: requiredInt(header, F.perm, "perm"),
      topicFilterType: filterType,
      topicSysFlag: header.int(F.topicSysFlag, 0),
      order: header.bool(F.order, false),
      attributes: parseAttributes(header.text(F.attributes)),
    }),
  ]);
}

function updateTopics(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const body = JsonMembers.parse(header.bytes.subarray(header.bodyStart, header.bodyEnd));
  if (body === null) throw new BadJson("the body is not an object with a topicConfigList");
  const configs = body.objects("topicConfigList").map((json) => readTopicConfig(json, ""));
  for (const config of configs) {
    const refusal = nameRefusal(state, config.topicName);
    if (refusal !== null) return connection.answer(header.opaque, refusal);
  }
  createTopics(state, header, connection, () => configs);
}

function nameRefusal(state: BrokerState, name: string): Answer | null {
  const problem = topicNameProblem(name);
  if (problem !== null) return { code: ResponseCode.INVALID_PARAMETER, remark: problem };
  if (state.topics.isBeingDeleted(name)) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: `The topic[${name}] is being deleted, try again later.` };
  }
  if (!state.topics.isSystem(name)) return null;
  return { code: ResponseCode.INVALID_PARAMETER, remark: `The topic[${name}] is conflict with system topic.` };
}

/** Makes or changes topics whose `attributes` are changes with signs; answers when they are on disk. */
function createTopics(
  state: BrokerState,
  header: Header,
  connection: RemotingConnection,
  wanted: () => readonly TopicConfig[],
): void {
  try {
    const configs = wanted();
    for (const config of configs) {
      if (config.attributes["+message.type"] === "MIXED") {
        const remark = "MIXED message type is not supported.";
        return connection.answer(header.opaque, { code: ResponseCode.INVALID_PARAMETER, remark });
      }
    }
    const later = connection.later(header);
    let open = 1;
    const one = () => {
      if (--open === 0) later.answer({ code: ResponseCode.SUCCESS, remark: NOT_SET });
    };
    for (const config of configs) {
      const known = state.topics.get(config.topicName);
      if (known === null && state.topics.full) {
        throw new AttributeError(`this broker has its ${state.settings.maxTopics} topics already`);
      }
      const attributes = alterAttributes(topicAttributes, known?.config.attributes ?? null, config.attributes);
      const topic = state.topics.update({ ...config, attributes });
      open++;
      state.topics.whenWritten(one);
      state.logger.info("topic set up", { topic: topic.name, from: connection.peerText });
    }
    one();
  } catch (error) {
    if (!(error instanceof AttributeError)) throw error;
    connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark: error.message });
  }
}

function getAllTopics(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.GET_ALL_TOPIC_CONFIG;
  const { topics } = state;
  const version = topics.dataVersion;
  const names = pageOf(topics.sortedNames(), version, {
    from: header.has(F.topicSeq) ? header.int(F.topicSeq, 0) : null,
    max: header.has(F.maxTopicNum) ? header.int(F.maxTopicNum, 0) : null,
    dataVersion: header.text(F.dataVersion),
  });
  const later = connection.later(header);
  const total = topics.size;
  answerSliced(state, later, allTopicsJson(state, names, versionJson(version)), { totalTopicNum: total });
}

function* allTopicsJson(state: BrokerState, names: readonly string[], version: string): IterableIterator<string> {
  yield `{"dataVersion":${version},"mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":0},` +
    `"topicConfigTable":{`;
  let comma = "";
  for (const name of names) {
    const topic = state.topics.get(name);
    // Deleted since the list was begun.
    if (topic === null) continue;
    yield `${comma}${JSON.stringify(name)}:${topic.json}`;
    comma = ",";
  }
  yield `},"topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}`;
}

function deleteTopic(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const name = header.text(Fields.DELETE_TOPIC_IN_BROKER.topic) ?? "";
  if (name.trim() === "" || state.topics.isSystem(name)) {
    const remark = name.trim() === ""
      ? "The specified topic is blank."
      : `The topic[${name}] is conflict with system topic.`;
    return connection.answer(header.opaque, { code: ResponseCode.INVALID_PARAMETER, remark });
  }
  const later = connection.later(header);
  const names = [name, ...popRetryTopics(state, name)];
  let open = names.length;
  let failure: string | null = null;
  const deleted: Done = (error) => {
    failure ??= error?.message ?? null;
    if (--open > 0) return;
    later.answer(
      failure === null ? { code: ResponseCode.SUCCESS } : { code: ResponseCode.SYSTEM_ERROR, remark: failure },
    );
  };
  for (const one of names) {
    state.logger.info("topic deleted", { topic: one, from: connection.peerText });
    state.offsets.removeTopic(one);
    // Offsets that outlived their topic would let groups skip what a topic of the same name holds later.
    state.topics.delete(one, deleted, (gone) => state.offsets.flush(gone));
  }
}

/** Topics that pop consumers of `topic` get their failed messages back through; they go with it. */
function popRetryTopics(state: BrokerState, topic: string): string[] {
  return state.offsets.groupsOf(topic)
    .flatMap((group) => [`%RETRY%${group}+${topic}`, `%RETRY%${group}_${topic}`])
    .filter((name) => state.topics.get(name) !== null);
}

function getTopic(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const name = requiredText(header, Fields.GET_TOPIC_CONFIG.topic, "topic");
  const topic = state.topics.get(name);
  if (topic === null) {
    const remark = `No topic in this broker. topic: ${name}`;
    return connection.answer(header.opaque, { code: ResponseCode.TOPIC_NOT_EXIST, remark });
  }
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body: encoder.encode(topic.json) });
}
