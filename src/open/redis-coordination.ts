/** The coordination of a cluster's processes, on Redis: leases and broadcasts. */
import { Broadcast } from "../redis/broadcast.ts";
import { type LeaseTimes, NodeLease } from "../redis/node-lease.ts";
import type { Redis } from "../redis/redis.ts";
import type { Coordination } from "../runs/cluster/coordination.ts";

/** In one slot with the leases. The name stays as it is: nodes of several versions share it. */
const broadcastName = "{nodes}:notices";

export function redisCoordination(redis: Redis, times?: Partial<LeaseTimes>): Coordination {
  return {
    nodeId: redis.nodeId,
    takeLease: (options) => NodeLease.take({ ...options, redis, times }),
    openBroadcast: (onMessage) => Broadcast.open({ redis, name: broadcastName, onMessage }),
  };
}
