import { Fields, type Header, ResponseCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { crc32, inflate } from "node:zlib";
import { answerOk, bodyOf, type Context, MissingFieldError, nowMs } from "./context.ts";
import { ORDER_TOPIC_CONFIG } from "./kv_requests.ts";
import {
  emptyRegistrationBody,
  readCompactRegistrationBody,
  readDataVersion,
  readRegistrationBody,
} from "./registration_body.ts";
import { dataVersionBody, kvTableBody } from "./route_json.ts";
import { sameVersion } from "./route_table.ts";
import type { Registered, Registration, RegistrationBody } from "./route_types.ts";

const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
const CRC_MASK = 0x7fffffff;
const NO_BYTES = new Uint8Array(0);

/** 103 */
export function registerBroker(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.REGISTER_BROKER;
  const crc = header.int(fields.bodyCrc32, 0);
  const body = bodyOf(header);
  if (crc !== 0 && (crc32(body) & CRC_MASK) !== crc) {
    connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark: "crc32 not match", fields: {} });
    return;
  }
  const later = connection.later(header);
  const take = registrationOf(header, connection);
  const { version } = header;
  const finish = (read: () => RegistrationBody): void => {
    try {
      if (!connection.closed) later.answer(registrationAnswer(context, take(read())));
    } catch (error) {
      const remark = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      later.answer({ code: ResponseCode.SYSTEM_ERROR, remark });
    }
  };
  if (body.length === 0) return finish(() => emptyRegistrationBody);
  if (!header.bool(fields.compressed, false)) return finish(() => readRegistrationBody(body, version));
  inflate(body.slice(), { maxOutputLength: MAX_INFLATED_BYTES }, (error, inflated) =>
    finish(() => {
      if (error !== null) throw error;
      return readCompactRegistrationBody(inflated, version);
    }));
}

type Take = (body: RegistrationBody) => Registration | null;

/** Takes the header's values out while it is valid. Null stands for one that Apache takes and forgets (✓ code 0). */
function registrationOf(header: Header, connection: RemotingConnection): Take {
  const fields = Fields.REGISTER_BROKER;
  const brokerId = header.long(fields.brokerId, NaN);
  if (Number.isNaN(brokerId)) throw new MissingFieldError("brokerId");
  const clusterName = header.text(fields.clusterName);
  const brokerAddr = header.text(fields.brokerAddr);
  const brokerName = header.text(fields.brokerName);
  const known = {
    brokerId,
    haServerAddr: header.text(fields.haServerAddr),
    zoneName: header.ext("__ZONE_NAME"),
    heartbeatTimeoutMs: header.has(fields.heartbeatTimeoutMillis)
      ? header.long(fields.heartbeatTimeoutMillis, 120_000)
      : null,
    enableActingMaster: header.has(fields.enableActingMaster) ? header.bool(fields.enableActingMaster, false) : null,
    owner: connection,
  };
  return (body) => {
    if (clusterName === null || brokerAddr === null || brokerName === null) return null;
    return { ...known, clusterName, brokerAddr, brokerName, body };
  };
}

function registrationAnswer(context: Context, registration: Registration | null) {
  const nobody: Registered = { haServerAddr: null, masterAddr: null };
  const registered = registration === null ? nobody : context.table.register(registration, nowMs(context));
  if (registered === null) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: "register broker failed", fields: {} };
  }
  const { haServerAddr, masterAddr } = registered;
  const orders = context.settings.returnOrderTopicConfigToBroker ? context.kv.table(ORDER_TOPIC_CONFIG) : null;
  const body = orders === null ? null : kvTableBody(orders);
  return { code: ResponseCode.SUCCESS, fields: { haServerAddr, masterAddr }, body };
}

/** 104 */
export function unregisterBroker(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.UNREGISTER_BROKER;
  const clusterName = header.text(fields.clusterName) ?? "";
  const brokerAddr = header.text(fields.brokerAddr) ?? "";
  const brokerName = header.text(fields.brokerName) ?? "";
  context.table.unregister([{ clusterName, brokerAddr, brokerName, brokerId: header.long(fields.brokerId, -1) }]);
  answerOk(connection, header.opaque);
}

/** 904 */
export function brokerHeartbeat(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.BROKER_HEARTBEAT;
  const clusterName = header.text(fields.clusterName);
  const brokerAddr = header.text(fields.brokerAddr);
  if (clusterName === null) throw new MissingFieldError("clusterName");
  if (brokerAddr === null) throw new MissingFieldError("brokerAddr");
  context.table.heard(clusterName, brokerAddr, nowMs(context));
  answerOk(connection, header.opaque);
}

/** 322 */
export function queryDataVersion(context: Context, header: Header, connection: RemotingConnection): void {
  const fields = Fields.QUERY_DATA_VERSION;
  const clusterName = header.text(fields.clusterName);
  const brokerAddr = header.text(fields.brokerAddr);
  if (clusterName === null) throw new MissingFieldError("clusterName");
  if (brokerAddr === null) throw new MissingFieldError("brokerAddr");
  const theirs = readDataVersion(bodyOf(header));
  context.table.heard(clusterName, brokerAddr, nowMs(context));
  const ours = context.table.dataVersion(clusterName, brokerAddr);
  const body = ours === null ? NO_BYTES : dataVersionBody(ours);
  connection.answer(header.opaque, {
    code: ResponseCode.SUCCESS,
    fields: { changed: !sameVersion(ours, theirs) },
    body,
  });
}

/** 205 */
export function wipeWritePermOfBroker(context: Context, header: Header, connection: RemotingConnection): void {
  const brokerName = header.text(Fields.WIPE_WRITE_PERM_OF_BROKER.brokerName) ?? "";
  const wipeTopicCount = context.table.wipeWritePerm(brokerName);
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { wipeTopicCount } });
}

/** 327 */
export function addWritePermOfBroker(context: Context, header: Header, connection: RemotingConnection): void {
  const brokerName = header.text(Fields.ADD_WRITE_PERM_OF_BROKER.brokerName) ?? "";
  const addTopicCount = context.table.addWritePerm(brokerName);
  connection.answer(header.opaque, { code: ResponseCode.SUCCESS, fields: { addTopicCount } });
}
