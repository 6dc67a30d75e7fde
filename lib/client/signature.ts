import type { Hashing } from "@rmq/platform";
import type { HeaderFields } from "@rmq/protocol";
import type { PeerRequest } from "@rmq/remoting";
import type { Credentials } from "./options.ts";

const encoder = new TextEncoder();

/**
 * The request with `AccessKey`, `SecurityToken` and `Signature` among its fields: HMAC-SHA1 over the values in the
 * order of their names and the body. (AclClientRPCHook, remoting.md §6.2)
 */
export function signed(request: PeerRequest, credentials: Credentials, hashing: Hashing): PeerRequest {
  const fields: HeaderFields = { ...request.fields, AccessKey: credentials.accessKey };
  if (credentials.securityToken !== null) fields.SecurityToken = credentials.securityToken;
  let values = "";
  for (const name of Object.keys(fields).sort()) values += fields[name] ?? "";
  const pieces: Uint8Array[] = [encoder.encode(values)];
  if (request.body !== null && request.body !== undefined) pieces.push(request.body);
  fields.Signature = base64(hashing.hmacSha1(encoder.encode(credentials.secretKey), pieces));
  return { ...request, fields };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
