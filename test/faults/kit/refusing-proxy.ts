// A proxy that knows Kafka's framing: it answers one produce request itself, as a broker does that doesn't lead the
// partition yet, and passes everything else on.
import { connect, createServer, type Server, type Socket } from "node:net";

const PRODUCE = 0;
const NOT_LEADER_OR_FOLLOWER = 6;
/** A client that means to send another request before the first is answered has done so by then. */
const PATIENCE_MS = 1_000;

export class RefusingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isArmed = false;
  #held: { request: Buffer; client: Socket; patience: Timer } | undefined;
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
      onFrames(client, (frame) => this.#pass(frame, client, broker));
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
   * Refuses the next produce request: as soon as another one is under way behind it, or once none can be expected.
   * @returns resolves when that request has come in, before it is answered
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

  #pass(frame: Buffer, client: Socket, broker: Socket): void {
    const isProduce = frame.readInt16BE(4) === PRODUCE;
    if (isProduce && this.#isArmed) {
      this.#isArmed = false;
      this.#held = { request: frame, client, patience: setTimeout(() => this.#refuse(), PATIENCE_MS) };
      this.#onHeld?.();
      return;
    }
    if (isProduce) this.#refuse();
    broker.write(frame);
  }

  #refuse(): void {
    if (this.#held === undefined) return;
    const { request, client, patience } = this.#held;
    this.#held = undefined;
    clearTimeout(patience);
    client.write(toRefusal(request));
  }
}

/** Requests as they come, each with its length in front. */
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

/** The answer to a produce request of version 9 or 10 with one partition, as librdkafka sends it. */
function toRefusal(request: Buffer): Buffer {
  const version = request.readInt16BE(6);
  if (version < 9 || version > 10)
    throw new Error(`produce requests of version ${version} aren't known here`);
  // Length, key, version and correlation id; the client's id; no tags; no transactional id; acks and time-out; one topic.
  const topicAt = 12 + 2 + request.readInt16BE(12) + 1 + 1 + 6 + 1;
  // Lengths are sent with one added; a name of 127 bytes or more would take two bytes for it.
  const topicEnd = topicAt + request[topicAt]!;
  const body = Buffer.concat([
    request.subarray(8, 12), // correlation id
    Buffer.from([0, 2]), // no tags; one topic
    request.subarray(topicAt, topicEnd),
    Buffer.from([2]), // one partition
    request.subarray(topicEnd + 1, topicEnd + 5),
    Buffer.from([0, NOT_LEADER_OR_FOLLOWER]),
    Buffer.alloc(24, 0xff), // no offset, time, log start
    Buffer.from([1, 0, 0, 0]), // no single records' errors, no message, no tags twice
    Buffer.from([0, 0, 0, 0, 0]), // no throttling, no tags
  ]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}
