import { integerKeys, type Jsonable, toJson } from "@rmq/protocol";
import type { BrokerData, DataVersion, TopicQueueMapping, TopicRoute } from "./route_types.ts";

const utf8 = new TextEncoder();

/**
 * TopicRouteData, the body of 105. `strict` puts broker ids into quotes and escapes what is not ASCII: clients from
 * 4.9.4 on; older ones need them bare (remoting.md §14).
 */
export function routeBody(route: TopicRoute, orderTopicConf: string | null, strict: boolean): Uint8Array {
  const { brokerDatas, queueDatas, filterServers, mappings } = route;
  const body: Jsonable = {
    brokerDatas: brokerDatas.map(brokerJson),
    filterServerTable: filterServers,
    orderTopicConf,
    queueDatas: queueDatas.map((queues) => ({ ...queues })),
    topicQueueMappingByBroker: mappings === null
      ? null
      : new Map([...mappings].map(([name, mapping]) => [name, mappingJson(mapping)])),
  };
  return utf8.encode(toJson(body, { strict }));
}

/** ClusterInfo, the body of 106; ids are always bare. */
export function clusterBody(
  brokers: readonly BrokerData[],
  clusters: ReadonlyMap<string, ReadonlySet<string>>,
): Uint8Array {
  return utf8.encode(toJson({
    brokerAddrTable: new Map(brokers.map((broker) => [broker.brokerName, brokerJson(broker)])),
    clusterAddrTable: new Map([...clusters].map(([cluster, names]) => [cluster, [...names]])),
  }));
}

/** GetBrokerMemberGroupResponseBody, the body of 901. */
export function memberGroupBody(
  cluster: string | null,
  brokerName: string | null,
  members: ReadonlyMap<number, string>,
): Uint8Array {
  return utf8.encode(toJson({ brokerMemberGroup: { brokerAddrs: integerKeys(members), brokerName, cluster } }));
}

/** TopicList. */
export function topicListBody(topicList: readonly string[], brokerAddr: string | null): Uint8Array {
  return utf8.encode(toJson({ brokerAddr, topicList }));
}

/** KVTable, the body of 219 and 103. */
export function kvTableBody(table: ReadonlyMap<string, string>): Uint8Array {
  return utf8.encode(toJson({ table }));
}

/** DataVersion, the body of 322. */
export function dataVersionBody({ counter, stateVersion, timestamp }: DataVersion): Uint8Array {
  return utf8.encode(toJson({ counter, stateVersion, timestamp }));
}

function brokerJson({ brokerAddrs, brokerName, cluster, enableActingMaster, zoneName }: BrokerData): Jsonable {
  return { brokerAddrs: integerKeys(brokerAddrs), brokerName, cluster, enableActingMaster, zoneName };
}

function mappingJson({ currIdMap, ...mapping }: TopicQueueMapping): Jsonable {
  return { ...mapping, currIdMap: integerKeys(currIdMap) };
}
