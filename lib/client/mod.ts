/**
 * A RocketMQ client for Deno, Bun and Node: producers, consumers and administration over the remoting protocol.
 *
 * @module
 */
export { type Body, type Codec, jsonCodec, textCodec } from "./codecs.ts";
export { ClientError, type ClientErrorCode, type ClientErrorDetails } from "./client_error.ts";
export type { Duration } from "./duration.ts";
export { type Filter, sql, type SqlFilter, type SqlValue, tag } from "./filter.ts";
export type { HookEnd, HookEnded, Hooks, SendEvent } from "./hooks.ts";
export { Message, type MessageSource } from "./message.ts";
export type { MessageQueue } from "./network/route.ts";
export type { ConnectOptions } from "./options.ts";
export type { Logger, TlsClientOptions } from "@rmq/platform";
export { connect } from "./connect.ts";
export { RocketMQ } from "./rocketmq.ts";
export type {
  CallLimits,
  MessageOptions,
  OutgoingMessage,
  QueueChoice,
  QueueSelector,
  SendOptions,
} from "./producer/outgoing.ts";
export type { BatchOptions } from "./producer/batch.ts";
export type { SendReceipt, SendStatus } from "./producer/receipt.ts";
export type { RequestOptions } from "./producer/request_reply.ts";
export type {
  TransactionCheck,
  TransactionContext,
  TransactionOptions,
  TransactionOutcome,
  TransactionReceipt,
} from "./producer/transaction.ts";
export { Admin } from "./admin/admin.ts";
export type { BrokerGroup } from "./admin/cluster.ts";
export type { GroupAdmin, GroupDescription, GroupOptions } from "./admin/groups.ts";
export type { GroupOffset, OffsetAdmin, ResetTarget } from "./admin/offsets.ts";
export type { TopicAdmin, TopicDescription, TopicOnBroker, TopicOptions } from "./admin/topics.ts";
export type { ClientStatus } from "./status.ts";
export { Consumption } from "./consumer/consume.ts";
export type { ConsumerStatus, QueueStatus } from "./consumer/consumer_status.ts";
export type { StartFrom } from "./consumer/consume_from.ts";
export type { Handler, WorkContext } from "./consumer/handler.ts";
export type { CommittedOffset, OffsetStore } from "./consumer/offset_store.ts";
export { type PollOptions, PullConsumer, type PullOptions } from "./consumer/pull_consumer.ts";
export { ReceivedMessage, Reject, Retry, type RetryOptions } from "./consumer/received_message.ts";
export type { ConsumeOptions, Topics, WorkOptions } from "./consumer/spec.ts";
export { averagely, averagelyByCircle } from "./consumer/strategies/averagely.ts";
export { byConfig } from "./consumer/strategies/by_config.ts";
export { consistentHash } from "./consumer/strategies/consistent_hash.ts";
export { byMachineRoom, machineRoomNearby, type MachineRooms } from "./consumer/strategies/machine_room.ts";
export type { AllocationStrategy, Membership } from "./consumer/strategies/strategy.ts";
export { Worker } from "./consumer/worker.ts";
