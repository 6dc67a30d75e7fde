import { request } from "../../scripts/peers/request.ts";

/** Creates the topic at the broker; clients of this bench need no name server. */
export async function createRoute(broker: string, topic: string, queues: number): Promise<void> {
  const answer = await request(broker, 17, {
    topic,
    defaultTopic: "TBW102",
    readQueueNums: String(queues),
    writeQueueNums: String(queues),
    perm: "6",
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: "0",
    order: "false",
    attributes: "",
    force: "false",
  });
  if (answer.code !== 0) throw new Error(`topic ${topic} was not created: code ${answer.code}, ${answer.remark}`);
}
