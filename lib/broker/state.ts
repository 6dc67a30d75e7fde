import type { Logger, Platform } from "@rmq/platform";
import type { Store } from "@rmq/store";
import type { RemotingClient, RemotingServer } from "@rmq/remoting";
import type { BrokerSettings } from "./settings.ts";
import type { TopicTable } from "./topics/topic_table.ts";
import type { GroupTable } from "./groups/group_table.ts";
import type { FilterTable } from "./filters/filter_table.ts";
import type { OffsetTable } from "./offsets/offset_table.ts";
import type { ClientAsks } from "./clients/ask.ts";
import type { ClientTable } from "./clients/client_table.ts";
import type { QueueLocks } from "./clients/queue_locks.ts";
import type { Put } from "./delivery/put.ts";
import type { TransactionCounts } from "./transactions/transaction_counts.ts";
import type { Registration } from "./registration.ts";

/** The parts of one running broker, as its request handlers see them. */
export interface BrokerState {
  readonly platform: Platform;
  readonly logger: Logger;
  readonly settings: BrokerSettings;
  readonly store: Store;
  readonly topics: TopicTable;
  readonly groups: GroupTable;
  readonly offsets: OffsetTable;
  readonly filters: FilterTable;
  readonly clients: ClientTable;
  /** Questions to clients over their own connections. */
  readonly asks: ClientAsks;
  readonly locks: QueueLocks;
  /** Messages that the broker itself stores: delayed deliveries, retries, dead letters. */
  readonly put: Put;
  /** How many transactions of each topic are open. */
  readonly transactionCounts: TransactionCounts;
  readonly registration: Registration;
  /** The registered address as messages store it: 4 or 16 bytes, and its port. */
  readonly storeHost: Uint8Array;
  readonly storePort: number;
  /** Makes a unique key for a message that came without one. */
  readonly uniqueIds: () => string;
  /** Set once listening. */
  server: RemotingServer | null;
  readonly client: RemotingClient;
}
