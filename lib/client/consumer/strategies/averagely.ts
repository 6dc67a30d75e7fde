import type { AllocationStrategy } from "./strategy.ts";

/** Neighbouring queues to each member, the first members getting one more. (AllocateMessageQueueAveragely) */
export const averagely: AllocationStrategy = {
  name: "AVG",
  allocate({ clientId, queues, members }) {
    const index = members.indexOf(clientId);
    if (index < 0) return [];
    const rest = queues.length % members.length;
    const share = Math.floor(queues.length / members.length);
    const start = index * share + Math.min(index, rest);
    return queues.slice(start, start + share + (index < rest ? 1 : 0));
  },
};

/** Queues dealt out one by one. (AllocateMessageQueueAveragelyByCircle) */
export const averagelyByCircle: AllocationStrategy = {
  name: "AVG_BY_CIRCLE",
  allocate({ clientId, queues, members }) {
    const index = members.indexOf(clientId);
    return index < 0 ? [] : queues.filter((_, i) => i % members.length === index);
  },
};
