import { Fields } from "@rmq/protocol";

/** Field numbers of one of the two send headers, so that one handler serves both (remoting sheet §11.6). */
export interface SendFields {
  readonly group: number;
  readonly topic: number;
  readonly defaultTopic: number;
  readonly defaultTopicQueueNums: number;
  readonly queueId: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly flag: number;
  readonly properties: number;
  readonly reconsumeTimes: number;
  readonly unitMode: number;
  readonly maxReconsumeTimes: number;
  readonly batch: number;
}

const V1 = Fields.SEND_MESSAGE;
const V2 = Fields.SEND_MESSAGE_V2;

/** Of 10 and 324. */
export const v1Fields: SendFields = {
  group: V1.producerGroup,
  topic: V1.topic,
  defaultTopic: V1.defaultTopic,
  defaultTopicQueueNums: V1.defaultTopicQueueNums,
  queueId: V1.queueId,
  sysFlag: V1.sysFlag,
  bornTimestamp: V1.bornTimestamp,
  flag: V1.flag,
  properties: V1.properties,
  reconsumeTimes: V1.reconsumeTimes,
  unitMode: V1.unitMode,
  maxReconsumeTimes: V1.maxReconsumeTimes,
  batch: V1.batch,
};

/** Of 310, 320 and 325, with one letter a field. */
export const v2Fields: SendFields = {
  group: V2.a,
  topic: V2.b,
  defaultTopic: V2.c,
  defaultTopicQueueNums: V2.d,
  queueId: V2.e,
  sysFlag: V2.f,
  bornTimestamp: V2.g,
  flag: V2.h,
  properties: V2.i,
  reconsumeTimes: V2.j,
  unitMode: V2.k,
  maxReconsumeTimes: V2.l,
  batch: V2.m,
};
