import type { MessageQueue } from "../../network/route.ts";

/** What a strategy knows of a topic and a group. */
export interface Membership {
  /** With the namespace. */
  readonly group: string;
  /** Who asks; one of `members`. */
  readonly clientId: string;
  /** All queues of the topic, by broker name, then by number. */
  readonly queues: readonly MessageQueue[];
  /** Client ids of all members, in order. */
  readonly members: readonly string[];
}

/**
 * Says which queues of a topic one member of a group reads. Each member asks its own, so that all of them, those in Java
 * too, must use the same and it must answer them consistently. (AllocateMessageQueueStrategy)
 */
export interface AllocationStrategy {
  /** Its name, as Java has it. */
  readonly name: string;
  /** The member's queues; may be empty. */
  allocate(membership: Membership): readonly MessageQueue[];
}
