import { indentJson } from "../indent_json.ts";
import type { JsonMembers } from "../json_members.ts";
import { attributesJson } from "../topics/topic_config.ts";

/** How a consumer group is set up (`SubscriptionGroupConfig`). */
export interface GroupConfig {
  readonly groupName: string;
  readonly consumeEnable: boolean;
  readonly consumeFromMinEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  readonly consumeMessageOrderly: boolean;
  readonly retryQueueNums: number;
  readonly retryMaxTimes: number;
  readonly groupRetryPolicy: GroupRetryPolicy;
  readonly brokerId: number;
  /** Where a consumer is sent when it lags so far behind that it disturbs the others. */
  readonly whichBrokerWhenConsumeSlowly: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
  readonly groupSysFlag: number;
  /** Minutes. */
  readonly consumeTimeoutMinute: number;
  readonly subscriptionDataSet: readonly SimpleSubscription[] | null;
  readonly attributes: Readonly<Record<string, string>>;
}

/** When consumers see a failed message again, if the group has a policy of its own. */
export interface GroupRetryPolicy {
  readonly type: "CUSTOMIZED" | "EXPONENTIAL";
  /** ms */
  readonly exponential: { readonly initial: number; readonly max: number; readonly multiplier: number } | null;
  /** ms of each further try */
  readonly customizedNext: readonly number[] | null;
}

/** A subscription that is part of a group's set-up (`SimpleSubscriptionData`). */
export interface SimpleSubscription {
  readonly topic: string;
  readonly expressionType: string;
  readonly expression: string;
  readonly version: number;
}

/** Apache's defaults. */
export function newGroupConfig(groupName: string): GroupConfig {
  return {
    groupName,
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    consumeMessageOrderly: false,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    groupRetryPolicy: { type: "CUSTOMIZED", exponential: null, customizedNext: null },
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
    groupSysFlag: 0,
    consumeTimeoutMinute: 15,
    subscriptionDataSet: null,
    attributes: {},
  };
}

/** A group's set-up from subscriptionGroup.json or a request body; absent members get Apache's defaults. Throws BadJson. */
export function readGroupConfig(json: JsonMembers, name: string): GroupConfig {
  const usual = newGroupConfig(name);
  return {
    groupName: json.text("groupName") ?? name,
    consumeEnable: json.bool("consumeEnable", usual.consumeEnable),
    consumeFromMinEnable: json.bool("consumeFromMinEnable", usual.consumeFromMinEnable),
    consumeBroadcastEnable: json.bool("consumeBroadcastEnable", usual.consumeBroadcastEnable),
    consumeMessageOrderly: json.bool("consumeMessageOrderly", usual.consumeMessageOrderly),
    retryQueueNums: json.int("retryQueueNums", usual.retryQueueNums),
    retryMaxTimes: json.int("retryMaxTimes", usual.retryMaxTimes),
    groupRetryPolicy: readRetryPolicy(json.object("groupRetryPolicy")),
    brokerId: json.int("brokerId", usual.brokerId),
    whichBrokerWhenConsumeSlowly: json.int("whichBrokerWhenConsumeSlowly", usual.whichBrokerWhenConsumeSlowly),
    notifyConsumerIdsChangedEnable: json.bool("notifyConsumerIdsChangedEnable", usual.notifyConsumerIdsChangedEnable),
    groupSysFlag: json.int("groupSysFlag", usual.groupSysFlag),
    consumeTimeoutMinute: json.int("consumeTimeoutMinute", usual.consumeTimeoutMinute),
    subscriptionDataSet: json.raw("subscriptionDataSet") == null
      ? null
      : json.objects("subscriptionDataSet").map(readSubscription),
    attributes: json.object("attributes")?.texts() ?? {},
  };
}

function readRetryPolicy(json: JsonMembers | null): GroupRetryPolicy {
  const exponential = json?.object("exponentialRetryPolicy") ?? null;
  const customized = json?.object("customizedRetryPolicy") ?? null;
  return {
    type: json?.text("type") === "EXPONENTIAL" ? "EXPONENTIAL" : "CUSTOMIZED",
    exponential: exponential === null ? null : {
      initial: exponential.int("initial", 5000),
      max: exponential.int("max", 7_200_000),
      multiplier: exponential.int("multiplier", 2),
    },
    customizedNext: customized === null ? null : customized.list("next").map(Number).filter(Number.isSafeInteger),
  };
}

function readSubscription(json: JsonMembers): SimpleSubscription {
  return {
    topic: json.text("topic") ?? "",
    expressionType: json.text("expressionType") ?? "TAG",
    expression: json.text("expression") ?? "*",
    version: json.int("version", 0),
  };
}

/** One line of JSON as fastjson writes it: keys in order, nulls left out. */
export function groupConfigJson(config: GroupConfig): string {
  const subscriptions = config.subscriptionDataSet === null
    ? ""
    : `"subscriptionDataSet":[${config.subscriptionDataSet.map(subscriptionJson).join(",")}],`;
  return `{"attributes":${attributesJson(config.attributes)},"brokerId":${config.brokerId},` +
    `"consumeBroadcastEnable":${config.consumeBroadcastEnable},"consumeEnable":${config.consumeEnable},` +
    `"consumeFromMinEnable":${config.consumeFromMinEnable},"consumeMessageOrderly":${config.consumeMessageOrderly},` +
    `"consumeTimeoutMinute":${config.consumeTimeoutMinute},"groupName":${JSON.stringify(config.groupName)},` +
    `"groupRetryPolicy":${retryPolicyJson(config.groupRetryPolicy)},"groupSysFlag":${config.groupSysFlag},` +
    `"notifyConsumerIdsChangedEnable":${config.notifyConsumerIdsChangedEnable},` +
    `"retryMaxTimes":${config.retryMaxTimes},"retryQueueNums":${config.retryQueueNums},${subscriptions}` +
    `"whichBrokerWhenConsumeSlowly":${config.whichBrokerWhenConsumeSlowly}}`;
}

function retryPolicyJson(policy: GroupRetryPolicy): string {
  const customized = policy.customizedNext === null
    ? ""
    : `"customizedRetryPolicy":{"next":[${policy.customizedNext.join(",")}]},`;
  const exponential = policy.exponential === null
    ? ""
    : `"exponentialRetryPolicy":{"initial":${policy.exponential.initial},"max":${policy.exponential.max},` +
      `"multiplier":${policy.exponential.multiplier}},`;
  return `{${customized}${exponential}"type":"${policy.type}"}`;
}

function subscriptionJson(subscription: SimpleSubscription): string {
  return `{"expression":${JSON.stringify(subscription.expression)},` +
    `"expressionType":${JSON.stringify(subscription.expressionType)},` +
    `"topic":${JSON.stringify(subscription.topic)},"version":${subscription.version}}`;
}

const encoder = new TextEncoder();

/** One consumer group of this broker. */
export class Group {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  /** Stands in subscriptionGroup.json on disk. */
  durable = false;
  #config: GroupConfig;
  #json: string | null = null;
  #indented: string | null = null;

  constructor(config: GroupConfig) {
    this.name = config.groupName;
    this.nameBytes = encoder.encode(config.groupName);
    this.#config = config;
  }

  get config(): GroupConfig {
    return this.#config;
  }

  set config(config: GroupConfig) {
    this.#config = config;
    this.#json = null;
    this.#indented = null;
  }

  /** The set-up in one line, made once for each change. */
  get json(): string {
    return this.#json ??= groupConfigJson(this.#config);
  }

  /** The set-up as a member of subscriptionGroup.json. */
  get indented(): string {
    return this.#indented ??= `\t\t${JSON.stringify(this.name)}:${indentJson(this.json, 2)}`;
  }
}
