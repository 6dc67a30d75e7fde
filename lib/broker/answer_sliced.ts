import { type Answer, ResponseCode } from "@rmq/protocol";
import type { Later } from "@rmq/remoting";
import type { BrokerState } from "./state.ts";
import { encodeSliced } from "./text_slices.ts";

/** Answers with a long text, made in slices. */
export function answerSliced(
  state: Pick<BrokerState, "platform">,
  later: Later,
  parts: Iterator<string>,
  fields: Answer["fields"],
): void {
  encodeSliced(
    state.platform.clock,
    parts,
    (body) => later.answer({ code: ResponseCode.SUCCESS, fields, body }),
    (error) => later.answer({ code: ResponseCode.SYSTEM_ERROR, remark: String(error) }),
  );
}
