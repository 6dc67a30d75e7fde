import { type Answer, crc32, Fields, type Header, ResponseCode } from "@rmq/protocol";
import type { RemotingConnection } from "@rmq/remoting";
import { inflate } from "node:zlib";
import { answerOk, bodyOf, type Context, MissingFieldError, nowMs } from "./context.ts";
import { ORDER_TOPIC_CONFIG } from "./kv_requests.ts";
import {
  emptyRegistrationBody,
  readCompactRegistrationBody,
  readDataVersion,
  readRegistrationBody,
} from "./registration_body.ts";
import { readInSlices, SLICED_BYTES } from "./registration_slices.ts";
import { dataVersionBody, kvTableBody } from "./route_json.ts";
import { sameVersion } from "./broker_group.ts";
import type { Registered, Registration, RegistrationBody, RegistrationHead } from "./route_types.ts";

const MAX_INFLATED_BYTES = 64 * 1024 * 1024;
const CRC_MASK = 0x7fffffff;
/** A checksum of 31 bits and the low 22 of the length make one safe integer. */
const FINGERPRINT_LENGTHS = 2 ** 22;
const SLICED_TOPICS = 1000;
const REFUSED: Answer = { code: ResponseCode.SYSTEM_ERROR, remark: "register broker failed", fields: {} };
const NOBODY: Registered = { haServerAddr: null, masterAddr: null };
const NO_BYTES = new Uint8Array(0);

/** 103 */
export function registerBroker(context: Context, header: Header, connection: RemotingConnection): void {
  const body = bodyOf(header);
  const bodyCrc = crc32(body, 0, body.length) & CRC_MASK;
  const told = header.int(Fields.REGISTER_BROKER.bodyCrc32, 0);
  if (told !== 0 && told !== bodyCrc) {
    connection.answer(header.opaque, { code: ResponseCode.SYSTEM_ERROR, remark: "crc32 not match", fields: {} });
    return;
  }
  const { version, opaque } = header;
  const head = registrationHead(header, connection, bodyCrc * FINGERPRINT_LENGTHS + body.length % FINGERPRINT_LENGTHS);
  // Apache takes a registration without a name, and forgets it ✓.
  if (head === null) return connection.answer(opaque, registeredAnswer(context, NOBODY));
  const repeated = context.table.repeat(head, nowMs(context));
  if (repeated !== undefined) return connection.answer(opaque, registeredAnswer(context, repeated));
  const compressed = header.bool(Fields.REGISTER_BROKER.compressed, false) && body.length > 0;
  if (compressed || body.length > SLICED_BYTES) return registerInSlices(context, header, head, connection, compressed);
  const take = (read: RegistrationBody): Answer => registrationAnswer(context, { ...head, body: read });
  if (body.length === 0) return connection.answer(opaque, take(emptyRegistrationBody));
  connection.answer(opaque, take(readRegistrationBody(body, version)));
}

/** A broker with thousands of topics: nothing of it holds the loop. It is answered when all of them are there. */
function registerInSlices(
  context: Context,
  header: Header,
  head: RegistrationHead,
  connection: RemotingConnection,
  compressed: boolean,
): void {
  const later = connection.later(header);
  const { clock } = context.platform;
  const { version } = header;
  const take = (body: RegistrationBody): void => {
    const { registered, rest } = context.table.beginRegister({ ...head, body }, nowMs(context), SLICED_TOPICS);
    const answer = registered === null ? REFUSED : registeredAnswer(context, registered);
    const goOn = (): void => rest() ? void clock.setTimer(0, goOn) : later.answer(answer);
    goOn();
  };
  const taken = (read: () => RegistrationBody): void => {
    if (connection.closed) return;
    try {
      take(read());
    } catch (error) {
      const remark = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      later.answer({ code: ResponseCode.SYSTEM_ERROR, remark });
    }
  };
  const copy = bodyOf(header).slice();
  if (!compressed) return readInSlices(copy, version, clock, taken);
  inflate(copy, { maxOutputLength: MAX_INFLATED_BYTES }, (error, inflated) =>
    taken(() => {
      if (error !== null) throw error;
      return readCompactRegistrationBody(inflated, version);
    }));
}

function registrationHead(
  header: Header,
  connection: RemotingConnection,
  fingerprint: number,
): RegistrationHead | null {
  const fields = Fields.REGISTER_BROKER;
  const brokerId = header.long(fields.brokerId, NaN);
  if (Number.isNaN(brokerId)) throw new MissingFieldError("brokerId");
  const clusterName = header.text(fields.clusterName);
  const brokerAddr = header.text(fields.brokerAddr);
  const brokerName = header.text(fields.brokerName);
  if (clusterName === null || brokerAddr === null || brokerName === null) return null;
  const heartbeatTimeoutMs = header.has(fields.heartbeatTimeoutMillis)
    ? header.long(fields.heartbeatTimeoutMillis, 120_000)
    : null;
  return {
    clusterName,
    brokerAddr,
    brokerName,
    brokerId,
    haServerAddr: header.text(fields.haServerAddr),
    zoneName: header.ext("__ZONE_NAME"),
    heartbeatTimeoutMs,
    enableActingMaster: header.has(fields.enableActingMaster) ? header.bool(fields.enableActingMaster, false) : null,
    owner: connection,
    fingerprint,
  };
}

function registrationAnswer(context: Context, registration: Registration): Answer {
  const registered = context.table.register(registration, nowMs(context));
  if (registered !== null) return registeredAnswer(context, registered);
  return REFUSED;
}

function registeredAnswer(context: Context, { haServerAddr, masterAddr }: Registered): Answer {
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
