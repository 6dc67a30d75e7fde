import type { Topic } from "./topics/topic.ts";
import type { BrokerState } from "./state.ts";

/** Keeps this broker known to all its name servers. */
export class Registration {
  /** `ip:port` told to clients. */
  readonly address: string;

  constructor(state: Pick<BrokerState, "platform" | "logger" | "settings" | "topics" | "client">, address: string) {
    void state;
    this.address = address;
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  changed(topics: readonly Topic[]): void {
    void topics;
  }

  unregister(): Promise<void> {
    return Promise.resolve();
  }
}
