import { Fields, type Header, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, RemotingConnection } from "@rmq/remoting";
import { answerSliced } from "../answer_sliced.ts";
import { alterAttributes, AttributeError, groupAttributes } from "../attributes.ts";
import { versionJson } from "../data_version.ts";
import { BadJson, JsonMembers } from "../json_members.ts";
import { pageOf } from "../paging.ts";
import { requiredText } from "../required_fields.ts";
import type { BrokerState } from "../state.ts";
import { groupNameProblem } from "../topics/topic_name.ts";
import { type GroupConfig, readGroupConfig } from "./group_config.ts";

const encoder = new TextEncoder();

/** Requests about consumer groups: 200, 201, 207, 225, 352 (`AdminBrokerProcessor`). */
export function groupHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return [
    [RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, (header, connection) => updateGroup(state, header, connection)],
    [
      RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST,
      (header, connection) => updateGroups(state, header, connection),
    ],
    [RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG, (header, connection) => getAllGroups(state, header, connection)],
    [RequestCode.DELETE_SUBSCRIPTIONGROUP, (header, connection) => deleteGroup(state, header, connection)],
    [RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, (header, connection) => getGroup(state, header, connection)],
  ];
}

function updateGroup(state: BrokerState, header: Header, connection: RemotingConnection): void {
  // An empty body is a success that changes nothing.
  const json = header.bodyEnd > header.bodyStart ? bodyOf(header) : null;
  createGroups(state, header, connection, json === null ? [] : [readGroupConfig(json, "")]);
}

function updateGroups(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const json = bodyOf(header);
  if (json === null) throw new BadJson("the body is not an object with a groupConfigList");
  createGroups(state, header, connection, json.objects("groupConfigList").map((one) => readGroupConfig(one, "")));
}

function bodyOf(header: Header): JsonMembers | null {
  return JsonMembers.parse(header.bytes.subarray(header.bodyStart, header.bodyEnd));
}

function createGroups(
  state: BrokerState,
  header: Header,
  connection: RemotingConnection,
  configs: readonly GroupConfig[],
): void {
  for (const config of configs) {
    const problem = groupNameProblem(config.groupName);
    if (problem === null) continue;
    return connection.answer(header.opaque, { code: ResponseCode.INVALID_PARAMETER, remark: problem });
  }
  if (configs.length === 0) return connection.answer(header.opaque, { code: ResponseCode.SUCCESS });
  try {
    for (const config of configs) {
      const known = state.groups.get(config.groupName);
      if (known === null && state.groups.full) {
        throw new AttributeError(`this broker has its ${state.settings.maxGroups} groups already`);
      }
      const attributes = alterAttributes(groupAttributes, known?.config.attributes ?? null, config.attributes);
      state.groups.update({ ...config, attributes });
      state.logger.info("consumer group set up", { group: config.groupName, from: connection.peerText });
    }
  } catch (error) {
    if (!(error instanceof AttributeError)) throw error;
    return connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark: error.message });
  }
  const later = connection.later(header);
  state.groups.whenDurable(() => later.answer({ code: ResponseCode.SUCCESS }));
}

function getAllGroups(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.GET_ALL_SUBSCRIPTIONGROUP_CONFIG;
  const { groups } = state;
  const names = pageOf(groups.sortedNames(), groups.dataVersion, {
    from: header.has(F.groupSeq) ? header.int(F.groupSeq, 0) : null,
    max: header.has(F.maxGroupNum) ? header.int(F.maxGroupNum, 0) : null,
    dataVersion: header.text(F.dataVersion),
  });
  answerSliced(state, connection.later(header), allGroupsJson(state, names), { totalGroupNum: groups.size });
}

function* allGroupsJson(state: BrokerState, names: readonly string[]): IterableIterator<string> {
  const { groups } = state;
  yield `{"dataVersion":${versionJson(groups.dataVersion)},"forbiddenTable":${groups.forbiddenJson(names)},` +
    `"subscriptionGroupTable":{`;
  let comma = "";
  for (const name of names) {
    const group = groups.get(name);
    // Deleted since the list was begun.
    if (group === null) continue;
    yield `${comma}${JSON.stringify(name)}:${group.json}`;
    comma = ",";
  }
  yield "}}";
}

function deleteGroup(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const F = Fields.DELETE_SUBSCRIPTIONGROUP;
  const name = requiredText(header, F.groupName, "groupName");
  if (state.groups.delete(name)) {
    state.logger.info("consumer group deleted", { group: name, from: connection.peerText });
  }
  const later = connection.later(header);
  const answer = () => later.answer({ code: ResponseCode.SUCCESS });
  if (!header.bool(F.cleanOffset, false)) return state.groups.whenDurable(answer);
  state.offsets.removeGroup(name);
  state.groups.whenDurable(() => state.offsets.flush(answer));
}

function getGroup(state: BrokerState, header: Header, connection: RemotingConnection): void {
  const name = requiredText(header, Fields.GET_SUBSCRIPTIONGROUP_CONFIG.group, "group");
  const group = state.groups.ensure(name);
  if (group === null) {
    const remark = `No group in this broker. group: ${name}`;
    return connection.answer(header.opaque, { code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, remark });
  }
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, body: encoder.encode(group.json) });
}
