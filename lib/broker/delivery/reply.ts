import { type Header, KnownProperty, MessageDraft, offsetMessageId, RequestCode, ResponseCode } from "@rmq/protocol";
import type { Handler, Later, PeerRequest, RemotingConnection } from "@rmq/remoting";
import { AppendStatus } from "@rmq/store";
import type { BrokerState } from "../state.ts";
import { ClientAsks, FORWARD_TIMEOUT_MS } from "../clients/ask.ts";
import { stateOf } from "./connection_state.ts";
import { fillDraft } from "./draft_of_send.ts";
import type { Refusal, Target } from "./rewriters.ts";
import { type SendFields, v1Fields, v2Fields } from "./send_fields.ts";
import { findTarget, parkUntilDurable } from "./send_target.ts";
import { illegal, unwantedProperty } from "./unwanted_properties.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Replies that requesters have not accepted yet, in all; a connection takes 1024 of them. */
const MAX_UNACCEPTED = 16_384;
/** Bytes of replies that one requester has not accepted yet; beyond it pushes fail, so that it is not cut off. */
const MAX_UNACCEPTED_BYTES = 16 * 1024 * 1024;

/** Where the reply came to lie. */
interface Stored {
  readonly msgId: string;
  readonly queueOffset: number;
}

/** Replies between clients: 324, 325. */
export function replyHandlers(state: BrokerState): [code: number, handler: Handler][] {
  return new Replies(state).handlers();
}

/**
 * Request–reply between clients (`ReplyMessageProcessor`, remoting sheet §12.11): a reply sent with 324 or 325 is pushed
 * (326) to the client that asked, and stored in the reply topic. Its sender is answered when both are done.
 */
class Replies {
  private readonly draft = new MessageDraft();
  private readonly target: Target;
  /** Apart from questions of tools, so that a requester that hangs can't get in their way. */
  private readonly asks = new ClientAsks(MAX_UNACCEPTED);
  /** What the broker adds to the properties of a reply. */
  private readonly added: Uint8Array;

  constructor(private readonly state: BrokerState) {
    const { settings } = state;
    const [first] = state.topics.all();
    this.target = { topic: first, queueId: 0 };
    this.added = encoder.encode(`MSG_REGION\u0001${settings.regionId}\u0002TRACE_ON\u0001${settings.traceOn}\u0002`);
  }

  /** The handlers by code. */
  handlers(): [number, Handler][] {
    return [
      [RequestCode.SEND_REPLY_MESSAGE, (header, connection) => this.reply(header, connection, v1Fields)],
      [RequestCode.SEND_REPLY_MESSAGE_V2, (header, connection) => this.reply(header, connection, v2Fields)],
    ];
  }

  private reply(header: Header, connection: RemotingConnection, fields: SendFields): void {
    const later = connection.later(header);
    const refusal = this.read(header, connection, fields);
    if (refusal !== null) return this.answer(later, refusal, null, 0);
    if (!this.target.topic.durable) return parkUntilDurable(this.state, header, connection, this.target.topic);
    const { properties } = this.draft;
    const to = properties.text(KnownProperty.REPLY_TO_CLIENT);
    const text = decoder.decode(properties.bytes.subarray(0, properties.length));
    const { queueId } = this.target;
    let stored: Stored | null = null;
    let pushed: Refusal | null = null;
    let open = 2;
    const done = () => {
      if (--open === 0) this.answer(later, pushed, stored, queueId);
    };
    this.store((where) => {
      stored = where;
      done();
    });
    this.push(header, connection, fields, to, text, (problem) => {
      pushed = problem;
      done();
    });
  }

  /** Fills the draft and finds where it is to lie; null: it can be stored. */
  private read(header: Header, connection: RemotingConnection, fields: SendFields): Refusal | null {
    const { draft, target } = this;
    const refusal = findTarget(this.state, header, fields, target);
    if (refusal !== null) return refusal;
    if (header.bodyStart === header.bodyEnd) {
      return { code: ResponseCode.SYSTEM_ERROR, remark: "the reply has no body" };
    }
    fillDraft(draft, header, connection, fields, target.topic);
    draft.body = header.bytes;
    draft.bodyStart = header.bodyStart;
    draft.bodyEnd = header.bodyEnd;
    draft.properties.readHeader(header, fields.properties);
    draft.properties.appendEncoded(this.added);
    const unwanted = unwantedProperty(draft.properties);
    return unwanted === null ? null : illegal(unwanted);
  }

  /** Stores the draft if that is asked for; a reply that can't be stored is pushed all the same, as by Apache. */
  private store(done: (stored: Stored | null) => void): void {
    const { draft, target, state } = this;
    if (!state.settings.storeReplyMessageEnable) return done(null);
    const { topic } = target;
    const bytes = draft.bodyEnd - draft.bodyStart;
    state.put.put(draft, topic, target.queueId, true, (status, physicalOffset, queueOffset) => {
      if (status !== AppendStatus.OK) {
        state.logger.warn("a reply could not be stored", { topic: topic.name, status });
        return done(null);
      }
      topic.putCount++;
      topic.putBytes += bytes;
      done({ msgId: offsetMessageId(state.storeHost, state.storePort, physicalOffset), queueOffset });
    });
  }

  /** Hands the reply to the client that asked; `done` is told why that failed, or null. */
  private push(
    header: Header,
    connection: RemotingConnection,
    fields: SendFields,
    to: string | null,
    properties: string,
    done: (problem: Refusal | null) => void,
  ): void {
    const problem = (remark: string) => done({ code: ResponseCode.SYSTEM_ERROR, remark });
    if (to === null) return problem("reply message properties[REPLY_TO_CLIENT] is null");
    const requester = this.state.clients.producer(to);
    if (requester === null) return problem(`push reply message fail, channel of <${to}> not found.`);
    const failed = (reason: string) => {
      this.state.logger.warn("a reply was not accepted", { client: to, reason });
      problem(`push reply message to ${to}fail.`);
    };
    const waiting = stateOf(requester);
    const bytes = header.bodyEnd - header.bodyStart;
    if (waiting.unacceptedReplies > 0 && waiting.unacceptedReplies + bytes > MAX_UNACCEPTED_BYTES) {
      return failed("too many replies wait for it");
    }
    waiting.unacceptedReplies += bytes;
    const request = this.pushRequest(header, connection, fields, properties);
    this.asks.ask(requester, request, FORWARD_TIMEOUT_MS).then(({ response, failure }) => {
      waiting.unacceptedReplies -= bytes;
      if (response === null) failed(failure.code);
      else if (response.code === ResponseCode.SUCCESS) done(null);
      else failed(`code ${response.code}: ${response.remark}`);
    });
  }

  private pushRequest(
    header: Header,
    connection: RemotingConnection,
    fields: SendFields,
    properties: string,
  ): PeerRequest {
    const now = this.state.platform.clock.nowMs();
    return {
      code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
      fields: {
        producerGroup: header.text(fields.group),
        topic: header.text(fields.topic),
        defaultTopic: header.text(fields.defaultTopic),
        defaultTopicQueueNums: header.text(fields.defaultTopicQueueNums),
        queueId: header.text(fields.queueId),
        sysFlag: header.text(fields.sysFlag),
        bornTimestamp: header.text(fields.bornTimestamp),
        flag: header.text(fields.flag),
        properties: `PUSH_REPLY_TIME\u0001${now}\u0002${properties}`,
        reconsumeTimes: header.text(fields.reconsumeTimes),
        unitMode: header.bool(fields.unitMode, false),
        bornHost: connection.peerText,
        storeHost: this.state.registration.address,
        storeTimestamp: now,
      },
      body: header.bytes.subarray(header.bodyStart, header.bodyEnd),
    };
  }

  private answer(later: Later, problem: Refusal | null, stored: Stored | null, queueId: number): void {
    const { settings } = this.state;
    const known = { MSG_REGION: settings.regionId, TRACE_ON: settings.traceOn };
    const where = stored ?? (problem === null ? { msgId: "0", queueOffset: 0 } : null);
    later.answer({
      code: problem?.code ?? ResponseCode.SUCCESS,
      remark: problem?.remark ?? null,
      fields: where === null ? known : { ...known, ...where, queueId },
    });
  }
}
