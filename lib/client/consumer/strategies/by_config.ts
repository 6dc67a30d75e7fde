import type { MessageQueue } from "../../network/route.ts";
import type { AllocationStrategy } from "./strategy.ts";

/** The queues that the program names, of those that the topic has. (AllocateMessageQueueByConfig) */
export function byConfig(own: readonly MessageQueue[]): AllocationStrategy {
  return {
    name: "CONFIG",
    allocate: ({ queues }) =>
      queues.filter(({ topic, brokerName, queueId }) =>
        own.some((each) => each.topic === topic && each.brokerName === brokerName && each.queueId === queueId)
      ),
  };
}
