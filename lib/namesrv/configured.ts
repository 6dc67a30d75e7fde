import type { NamesrvValues, Settings } from "@rmq/config";
import { serverLimits, tlsSettings } from "@rmq/remoting";
import type { NamesrvServer } from "./namesrv.ts";
import type { NamesrvSettings } from "./settings.ts";

/** What the name server reads. */
export function namesrvSettings(settings: Settings<NamesrvValues>): Partial<NamesrvSettings> {
  return { ...settings.slice(NAMESRV_KEYS), rocketmqHome: settings.text("rocketmqHome") ?? "" };
}

/** TLS and bounds of its connections. */
export function namesrvServer(settings: Settings<NamesrvValues>): NamesrvServer {
  return { limits: serverLimits(settings), tls: tlsSettings(settings) };
}

const NAMESRV_KEYS = [
  "listenPort",
  "bindAddress",
  "serverChannelMaxIdleTimeSeconds",
  "kvConfigPath",
  "configStorePath",
  "orderMessageEnable",
  "returnOrderTopicConfigToBroker",
  "scanNotActiveBrokerInterval",
  "supportActingMaster",
  "enableAllTopicList",
  "enableTopicList",
  "notifyMinBrokerIdChanged",
  "needWaitForService",
  "waitSecondsForService",
  "deleteTopicWithBrokerRegistration",
] as const;
