/**
 * A broker for tests, in the test's own process: nothing on disk, no port unless one is asked for, and a clock that the
 * test turns. It is the whole broker and name server, not an imitation.
 *
 * ```ts
 * import { Broker } from "@rmq/testing";
 *
 * await using broker = await Broker.inMemory();
 * await using mq = await broker.connect();
 * await mq.send("reminders", "stand up", { delay: "2h" });
 * await broker.clock.advance("2h");
 * for await (const message of mq.consume("reminders", { group: "people", from: "first" })) {
 *   console.log(message.text()); // stand up
 *   break;
 * }
 * ```
 *
 * @module
 */
export { Broker, type BrokerClock, type InMemoryOptions } from "./broker.ts";
