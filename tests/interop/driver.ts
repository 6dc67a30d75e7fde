/** The test's end of a driver process (protocol.md): commands out, answers and messages in. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";

export interface DescribedMessage {
  topic: string;
  queueId: number;
  queueOffset: number;
  msgId: string;
  offsetMsgId: string;
  key: string;
  tags: string | null;
  hash: string;
  length: number;
  /** The body, if it has at most 4096 bytes. */
  text: string;
  properties: Record<string, string>;
  storeSize: number;
  reconsumeTimes: number;
  bornTimestamp: number;
  storeTimestamp: number;
  commitLogOffset: number;
}

/** What a consumer or producer was handed. */
export interface ReceivedMessage extends DescribedMessage {
  consumer: string;
  /** By the driver's clock. */
  receivedAt: number;
  failed: boolean;
  /** What was answered to the check of a transaction. */
  answer: string;
  /** How the sending of a reply ended: SEND_OK, or code and text. */
  outcome: string;
}

export interface SendOutcome {
  key: string;
  status: string;
  topic: string;
  queueId: number;
  queueOffset: number;
  msgId: string;
  offsetMsgId: string;
  hash: string;
  recallHandle?: string | null;
}

/** What a command answers; a field is there when protocol.md names it for the command. */
export interface DriverAnswer {
  id: number;
  ok: boolean;
  code: number;
  error: string;
  results: SendOutcome[];
  message: DescribedMessage;
  messages: DescribedMessage[];
  status: string;
  nextBeginOffset: number;
  minOffset: number;
  maxOffset: number;
  offset: number;
  queues: { queueId: number; minOffset: number; maxOffset: number; searchOffset: number }[];
  msgId: string;
  /** By queue id. */
  offsets: Record<string, number>;
  clients: Record<string, Record<string, number>>;
  members: string[];
  tracks: string[];
  info: { topics: string[]; queues: Record<string, number> };
}

export type Command = Record<string, string | number | boolean> & { do: string };

export interface DriverCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
  log: string;
}

interface Waiter {
  holds: () => boolean;
  resolve: () => void;
}

export class Driver {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (answer: DriverAnswer) => void>();
  readonly #received = new Map<string, ReceivedMessage[]>();
  readonly #waiters = new Set<Waiter>();
  #nextId = 1;
  #partial = "";
  #gone = false;

  constructor(name: string, spec: DriverCommand) {
    this.name = name;
    this.#child = spawn(spec.command, spec.args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...spec.env },
    });
    const decoder = new TextDecoder();
    this.#child.stdout!.on("data", (chunk: Uint8Array) => this.#take(decoder.decode(chunk, { stream: true })));
    this.#child.stderr!.on("data", (chunk: Uint8Array) => appendFileSync(spec.log, chunk));
    this.#child.stdin!.on("error", () => {});
    this.#child.once("error", (error) => this.#end(error.message));
    this.#child.once("exit", (code) => this.#end(`exited with ${code}, see ${spec.log}`));
    const child = this.#child;
    process.on("exit", () => child.kill("SIGKILL"));
  }

  #end(why: string): void {
    this.#gone = true;
    for (const [id, resolve] of this.#answers) {
      resolve({ id, ok: false, code: -1, error: `driver ${this.name} ${why}` } as DriverAnswer);
    }
    this.#answers.clear();
  }

  #take(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop()!;
    for (const line of lines) {
      const value = JSON.parse(line);
      if (value.event) this.events(value.event, value.consumer).push(value);
      else {
        this.#answers.get(value.id)?.(value);
        this.#answers.delete(value.id);
      }
    }
    for (const waiter of this.#waiters) {
      if (waiter.holds()) {
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
    }
  }

  /** Sends a command and answers what came back, refused or not. */
  attempt(command: Command, timeoutMs = 60_000): Promise<DriverAnswer> {
    if (this.#gone) return Promise.reject(new Error(`driver ${this.name} is gone`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#answers.delete(id);
        reject(new Error(`${this.name}: no answer to ${JSON.stringify(command)} in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#answers.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#child.stdin!.write(JSON.stringify({ id, ...command }) + "\n");
    });
  }

  /** As attempt, but a refusal is an error. */
  async call(command: Command, timeoutMs?: number): Promise<DriverAnswer> {
    const answer = await this.attempt(command, timeoutMs);
    if (!answer.ok) throw new Error(`${this.name}: ${JSON.stringify(command)}: code ${answer.code}, ${answer.error}`);
    return answer;
  }

  /** All that a push consumer has reported so far, in order; grows. */
  messages(consumer: string): ReceivedMessage[] {
    return this.events("message", consumer);
  }

  /** All events of a kind that a consumer or producer of that name has reported so far, in order; grows. */
  events(kind: "message" | "check" | "reply", name: string): ReceivedMessage[] {
    let list = this.#received.get(`${kind} ${name}`);
    if (!list) this.#received.set(`${kind} ${name}`, list = []);
    return list;
  }

  /** Resolves as soon as `holds`, which is asked after everything that the driver says. */
  until(holds: () => boolean, what: () => string, timeoutMs = 60_000): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        holds,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`${this.name}: after ${timeoutMs} ms still waiting: ${what()}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  async close(): Promise<void> {
    if (this.#gone) return;
    const exited = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await exited;
  }
}
