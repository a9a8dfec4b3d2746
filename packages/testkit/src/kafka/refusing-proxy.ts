// A proxy that reads Kafka's framing. It responds to one produce request itself, with the error of a broker that does not
// lead the partition yet, and forwards everything else.
import { connect, createServer, type Server, type Socket } from "node:net";

const PRODUCE = 0;
const NOT_LEADER_OR_FOLLOWER = 6;
/** How long the refused request waits for another one behind it. A client that pipelines has sent it by then. */
const PIPELINE_WAIT_MS = 1_000;

/** Destroys all connections and stops listening when disposed of. */
export class RefusingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isArmed = false;
  #held: { request: Buffer; client: Socket; timer: Timer } | undefined;
  #onHeld: (() => void) | undefined;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const broker = connect(targetPort, "127.0.0.1");
      for (const socket of [client, broker]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          client.destroy();
          broker.destroy();
        });
      }
      broker.pipe(client);
      onFrames(client, (frame) => this.#handle(frame, client, broker));
    });
  }

  static async start({ targetPort }: { targetPort: number }): Promise<RefusingProxy> {
    const proxy = new RefusingProxy(targetPort);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    proxy.#server.once("error", reject);
    proxy.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /**
   * Refuses the next produce request: as soon as another one is in flight behind it, or after a wait for one.
   * @returns resolves when that request has been received, before the response is sent
   */
  refuseNext(): Promise<void> {
    this.#isArmed = true;
    return new Promise((resolve) => {
      this.#onHeld = resolve;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #handle(frame: Buffer, client: Socket, broker: Socket): void {
    const isProduce = frame.readInt16BE(4) === PRODUCE;
    if (isProduce && this.#isArmed) {
      this.#isArmed = false;
      this.#held = { request: frame, client, timer: setTimeout(() => this.#refuse(), PIPELINE_WAIT_MS) };
      this.#onHeld?.();
      return;
    }
    if (isProduce) this.#refuse();
    broker.write(frame);
  }

  #refuse(): void {
    if (this.#held === undefined) return;
    const { request, client, timer } = this.#held;
    this.#held = undefined;
    clearTimeout(timer);
    client.write(toRefusal(request));
  }
}

/** Calls back with each request, its length prefix included. */
function onFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const size = 4 + rest.readInt32BE(0);
      onFrame(Buffer.from(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
  });
}

/** The response to a produce request of version 9 or 10 for one partition, as librdkafka sends it. */
function toRefusal(request: Buffer): Buffer {
  const version = request.readInt16BE(6);
  if (version < 9 || version > 10) throw new Error(`unsupported version ${version} of the produce request`);
  // Before the topic: length, key, version, correlation id; client id; no tags; no transactional id; acks, timeout; the
  // count of topics.
  const topicAt = 12 + 2 + request.readInt16BE(12) + 1 + 1 + 6 + 1;
  // A compact string's length is encoded plus one. A name of 127 bytes or more would take two bytes for it.
  const topicEnd = topicAt + request[topicAt]!;
  const body = Buffer.concat([
    request.subarray(8, 12), // correlation id
    Buffer.from([0, 2]), // no tags; one topic
    request.subarray(topicAt, topicEnd),
    Buffer.from([2]), // one partition
    request.subarray(topicEnd + 1, topicEnd + 5),
    Buffer.from([0, NOT_LEADER_OR_FOLLOWER]),
    Buffer.alloc(24, 0xff), // offset, append time and log start: none
    Buffer.from([1, 0, 0, 0]), // no record errors, no message, no tags of partition and topic
    Buffer.from([0, 0, 0, 0, 0]), // throttle time 0, no tags
  ]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}
