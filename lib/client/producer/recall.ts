import { RequestCode } from "@rmq/protocol";
import { ClientError, expectSuccess } from "../client_error.ts";
import { withNamespace } from "../namespace.ts";
import type { CallOptions } from "../network/network.ts";
import type { Producer } from "./producer.ts";

/**
 * Takes back a delayed message that is not delivered yet; returns its unique id. Rejects with ClientError: `REFUSED`
 * when it is too late. (DefaultMQProducerImpl.recallMessage, RecallMessageHandle)
 */
export async function recall(producer: Producer, topic: string, handle: string, call: CallOptions): Promise<string> {
  const { network } = producer;
  const wire = withNamespace(network.options.namespace, topic);
  const brokerName = brokerOf(handle);
  await network.routes.route(wire, call);
  const address = network.brokerAddress(brokerName);
  if (address === null) throw new ClientError("BROKER_UNREACHABLE", `broker ${brokerName} has no address`);
  const fields = { producerGroup: producer.group, topic: wire, recallHandle: handle, bname: brokerName };
  const response = await network.invoke(address, { code: RequestCode.RECALL_MESSAGE, fields }, call);
  return expectSuccess("a recall", response).fields.get("msgId") ?? "";
}

/** `v1 topic brokerName timestamp uniqKey` in URL-safe Base64. */
function brokerOf(handle: string): string {
  let text = "";
  try {
    text = atob(handle.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    // Told below.
  }
  const [version, , brokerName, time, uniqueKey] = text.split(" ");
  if (version === "v1" && brokerName && time && uniqueKey) return brokerName;
  throw new ClientError("BAD_ARGUMENT", "that is no recall handle");
}
