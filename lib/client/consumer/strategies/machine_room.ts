import { ClientError } from "../../client_error.ts";
import type { MessageQueue } from "../../network/route.ts";
import type { AllocationStrategy } from "./strategy.ts";

/** Queues of brokers in these rooms only: brokers are named `room@name`. (AllocateMessageQueueByMachineRoom) */
export function byMachineRoom(rooms: Iterable<string>): AllocationStrategy {
  const wanted = new Set(rooms);
  return {
    name: "MACHINE_ROOM",
    allocate({ clientId, queues, members }) {
      const index = members.indexOf(clientId);
      if (index < 0) return [];
      const here = queues.filter(({ brokerName }) => {
        const parts = brokerName.split("@");
        return parts.length === 2 && wanted.has(parts[0]);
      });
      const share = Math.floor(here.length / members.length);
      const own = here.slice(share * index, share * (index + 1));
      const left = share * members.length + index;
      return left < here.length ? [...own, here[left]] : own;
    },
  };
}

/** Where queues and members are. */
export interface MachineRooms {
  /** Room of the broker that has the queue. */
  readonly ofQueue: (queue: MessageQueue) => string;
  /** Room of a member. */
  readonly ofMember: (clientId: string) => string;
}

/**
 * Each room's queues to the members in it, by another strategy; those of a room without members to all.
 * (AllocateMachineRoomNearby)
 */
export function machineRoomNearby(inRoom: AllocationStrategy, rooms: MachineRooms): AllocationStrategy {
  const named = (room: string, of: string): string => {
    if (room !== "") return room;
    throw new ClientError("BAD_ARGUMENT", `${of} is in no machine room`);
  };
  return {
    name: `MACHINE_ROOM_NEARBY-${inRoom.name}`,
    allocate(membership) {
      const { clientId, queues, members } = membership;
      const queuesIn = grouped(queues, (queue) => named(rooms.ofQueue(queue), `queue of ${queue.brokerName}`));
      const membersIn = grouped(members, (member) => named(rooms.ofMember(member), member));
      const own = rooms.ofMember(clientId);
      const allocated: MessageQueue[] = [];
      for (const room of [own, ...[...queuesIn.keys()].filter((each) => each !== own).sort()]) {
        const sharing = room === own ? membersIn.get(own) : membersIn.has(room) ? undefined : members;
        const shared = queuesIn.get(room);
        if (sharing === undefined || shared === undefined) continue;
        allocated.push(...inRoom.allocate({ ...membership, queues: shared, members: sharing }));
      }
      return allocated;
    },
  };
}

function grouped<T>(all: readonly T[], roomOf: (each: T) => string): Map<string, T[]> {
  const rooms = new Map<string, T[]>();
  for (const each of all) {
    const room = roomOf(each);
    const there = rooms.get(room);
    if (there === undefined) rooms.set(room, [each]);
    else there.push(each);
  }
  return rooms;
}
