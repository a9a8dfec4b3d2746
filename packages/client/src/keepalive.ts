// The bodies of a page's keepalive requests, and of its beacons, share 64 KiB while they are in flight (the Fetch standard,
// section 4.5). All clients of a page count here.

const LIMIT_BYTES = 64 * 1024;
let inFlightBytes = 0;

export const keepalive = {
  /** How many more bytes may be sent. */
  get room(): number {
    return LIMIT_BYTES - inFlightBytes;
  },
  take(bytes: number): void {
    inFlightBytes += bytes;
  },
  release(bytes: number): void {
    inFlightBytes -= bytes;
  },
};
