// UUIDs of version 7 (RFC 9562): they sort by time, and within one generator in the order in which they were made.

/** The counter's 32 bits are the 12 bits of rand_a and the first 20 of rand_b (RFC 9562, section 6.2, method 1). */
const COUNTER_LIMIT = 2 ** 32;

/**
 * @param nowMs Unix ms; ids keep their order when it goes back
 * @param fill fills an array with random bytes
 */
export function createIdGenerator(nowMs: () => number, fill: (bytes: Uint8Array) => void): () => string {
  const random = new Uint8Array(10);
  let lastMs = -1;
  let counter = 0;
  return () => {
    fill(random);
    const now = nowMs();
    if (now > lastMs) {
      lastMs = now;
      // The highest bit is 0, so that 2^31 ids and more fit into a millisecond.
      counter = ((random[6]! & 0x7f) << 24) | (random[7]! << 16) | (random[8]! << 8) | random[9]!;
    } else if (++counter === COUNTER_LIMIT) {
      lastMs++;
      counter = 0;
    }
    const time = hex(lastMs, 12);
    const a = hex(Math.floor(counter / 2 ** 20), 3);
    const high = hex(0x8000 | ((counter >>> 6) & 0x3fff), 4);
    // The last 6 bits of the counter, and 42 random ones.
    const low =
      hex(((counter & 0x3f) << 2) | (random[0]! & 3), 2) +
      [1, 2, 3, 4, 5].map((i) => hex(random[i]!, 2)).join("");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${high}-${low}`;
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
