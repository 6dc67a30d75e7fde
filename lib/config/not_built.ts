/**
 * Apache's keys that promise something which is not built yet, and the only values that can be kept so far. Taking
 * them silently would serve strangers, acknowledge without replicas or start a second master.
 */
export const notBuilt: Readonly<Record<string, { readonly only: readonly string[]; readonly why: string }>> = {
  aclEnable: { only: ["false"], why: "there is no authentication yet, and everyone would be served" },
  authenticationEnabled: { only: ["false"], why: "there is no authentication yet, and everyone would be served" },
  authorizationEnabled: { only: ["false"], why: "there is no authorization yet, and everything would be allowed" },
  brokerRole: { only: ["ASYNC_MASTER", "SYNC_MASTER"], why: "there is no replication yet" },
  inSyncReplicas: { only: ["1"], why: "there is no replication yet, and sends would be acknowledged by one disk" },
  enableControllerMode: { only: ["false"], why: "there is no controller mode yet" },
  enableControllerInNamesrv: { only: ["false"], why: "there is no controller yet" },
  enableDLegerCommitLog: { only: ["false"], why: "Apache's DLedger log has another format" },
  storeType: { only: ["default"], why: "queues in RocksDB can't be read" },
};
