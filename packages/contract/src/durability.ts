// How safe an event is when its response is sent: the levels that a caller can ask for.

/**
 * - `accepted`: in the memory of the producer process
 * - `durable`: on the disk of the producer's machine, after fsync
 * - `stored`: on all in-sync replicas
 */
export const durabilities = ["accepted", "durable", "stored"] as const;
export type Durability = (typeof durabilities)[number];
