import assert from "node:assert/strict";
import { test } from "node:test";
import { averagely, averagelyByCircle } from "./averagely.ts";
import { byConfig } from "./by_config.ts";
import { consistentHash } from "./consistent_hash.ts";
import { byMachineRoom, machineRoomNearby } from "./machine_room.ts";
import type { AllocationStrategy } from "./strategy.ts";

const strategies: AllocationStrategy[] = [
  averagely,
  averagelyByCircle,
  consistentHash(),
  byMachineRoom(["east"]),
  machineRoomNearby(averagely, {
    ofQueue: ({ brokerName }) => brokerName.split("@")[0],
    ofMember: (clientId) => clientId.split("-")[0],
  }),
];

/** What the classes of the Java client 5.5.0 answer: strategy, queues of each of three brokers, members, owner of each queue. */
const JAVA: readonly [name: string, queues: number, members: number, owners: string][] = [
  ["AVG", 3, 2, "000001111"],
  ["AVG", 3, 3, "000111222"],
  ["AVG", 2, 5, "001234"],
  ["AVG", 5, 3, "000001111122222"],
  ["AVG_BY_CIRCLE", 3, 2, "010101010"],
  ["AVG_BY_CIRCLE", 3, 3, "012012012"],
  ["AVG_BY_CIRCLE", 2, 5, "012340"],
  ["AVG_BY_CIRCLE", 5, 3, "012012012012012"],
  ["CONSISTENT_HASH", 3, 2, "100111000"],
  ["CONSISTENT_HASH", 3, 3, "100121000"],
  ["CONSISTENT_HASH", 2, 5, "102240"],
  ["CONSISTENT_HASH", 5, 3, "100001210000002"],
  ["MACHINE_ROOM", 3, 2, "010------"],
  ["MACHINE_ROOM", 3, 3, "012------"],
  ["MACHINE_ROOM", 2, 5, "01----"],
  ["MACHINE_ROOM", 5, 3, "01201----------"],
  ["MACHINE_ROOM_NEARBY-AVG", 3, 2, "000001111"],
  ["MACHINE_ROOM_NEARBY-AVG", 3, 3, "001012222"],
  ["MACHINE_ROOM_NEARBY-AVG", 2, 5, "010134"],
  ["MACHINE_ROOM_NEARBY-AVG", 5, 3, "000110011222222"],
];

test("every strategy gives each queue to the member that Java gives it to", () => {
  for (const [name, perBroker, count, owners] of JAVA) {
    const strategy = strategies.find((each) => each.name === name);
    assert.ok(strategy !== undefined, name);
    const queues = ["east@a", "north@c", "west@b"].flatMap((brokerName) =>
      Array.from({ length: perBroker }, (_, queueId) => ({ topic: "orders", brokerName, queueId }))
    );
    const members = Array.from(
      { length: count },
      (_, i) => `${i % 2 === 0 ? "east" : "west"}-10.0.0.${i}@${100 + i}#77`,
    ).sort();
    const shares = members.map((clientId) => strategy.allocate({ group: "g", clientId, queues, members }));
    const own = queues.map((queue) => {
      const holders = shares.flatMap((share, i) => share.includes(queue) ? [i] : []);
      return holders.length === 0 ? "-" : holders.join("+");
    });
    assert.equal(own.join(""), owners, `${name}, ${perBroker} queues, ${count} members`);
  }
});

test("who is no member gets nothing, and a list of one's own names what is there", () => {
  const queues = [0, 1].map((queueId) => ({ topic: "orders", brokerName: "east@a", queueId }));
  const membership = { group: "g", clientId: "east-x", queues, members: ["east-y"] };
  for (const strategy of strategies.filter(({ name }) => !name.startsWith("MACHINE_ROOM_NEARBY"))) {
    assert.deepEqual(strategy.allocate(membership), [], strategy.name);
  }
  const own = byConfig([{ ...queues[1] }, { topic: "orders", brokerName: "gone", queueId: 0 }]);
  assert.deepEqual(own.allocate(membership), [queues[1]]);
});
