/** Keys of Apache's `NamesrvConfig` that the name server reads (admin.md §4.5). */
export const namesrvKeys = {
  kvConfigPath: { kind: "text", default: "${home}/namesrv/kvConfig.json", about: "file of the key-value table" },
  configStorePath: { kind: "text", default: "${home}/namesrv/namesrv.properties", about: "the file given with -c" },
  orderMessageEnable: { kind: "bool", default: false, live: true, about: "routes carry the order configuration" },
  returnOrderTopicConfigToBroker: { kind: "bool", default: true, live: true, about: "so do answers to registrations" },
  scanNotActiveBrokerInterval: { kind: "long", default: 5000, min: 1, about: "looks for silent brokers, ms" },
  supportActingMaster: { kind: "bool", default: false, live: true, about: "routes may name a slave as master" },
  enableAllTopicList: { kind: "bool", default: true, live: true, about: "request 206 is served" },
  enableTopicList: { kind: "bool", default: true, live: true, about: "requests 224 and 311 to 313 are served" },
  notifyMinBrokerIdChanged: { kind: "bool", default: false, live: true, about: "tells brokers of a change (905)" },
  needWaitForService: { kind: "bool", default: false, about: "routes are refused just after the start" },
  waitSecondsForService: { kind: "int", default: 45, about: "for so long, s" },
  deleteTopicWithBrokerRegistration: {
    kind: "bool",
    default: false,
    live: true,
    about: "a full registration removes the topics that it does not name",
  },
} as const;
