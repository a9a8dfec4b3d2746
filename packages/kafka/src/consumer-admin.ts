// Admin requests on a consumer's own connections: what its topic is now, and who has which partition.
import type {
  GroupDescription,
  IAdminClient,
  KafkaConsumer,
  LibrdKafkaError,
} from "@confluentinc/kafka-javascript";
import type { ConfluentClient } from "@ingest/kafka-native";
import { construct } from "./client.ts";
import type { TopicDescription } from "./consumer.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import type { TopicPartition } from "./records.ts";

/** The part of a described topic that is used here; Confluent's types omit the callback style. */
interface DescribedTopic {
  topicId: { base64: string };
  partitions: readonly unknown[];
  error?: LibrdKafkaError;
}

type Callback<T> = (error: unknown, result: T) => void;

/** Confluent's admin client, with the methods and callback signatures that its types omit. */
interface DependentAdmin {
  describeTopics(topics: string[], options: { timeout: number }, done: Callback<DescribedTopic[]>): void;
  describeGroups: IAdminClient["describeGroups"];
  disconnect(): void;
}

export class ConsumerAdmin {
  readonly #consumer: KafkaConsumer;
  readonly #pending = new Set<Promise<unknown>>();
  #admin: DependentAdmin | undefined;

  /** @param consumer connected */
  constructor(consumer: KafkaConsumer) {
    this.#consumer = consumer;
  }

  /** @throws KafkaError `unknown_topic`, `authorization`, `timed_out` (a mock cluster never responds) */
  async describeTopic(topic: string, timeoutMs: number): Promise<TopicDescription> {
    const [found] = await this.#request<DescribedTopic[]>((admin, done) =>
      admin.describeTopics([topic], { timeout: timeoutMs }, done),
    );
    if (found === undefined) throw new KafkaError("unknown_topic", `There is no topic ${topic}`);
    if (found.error !== undefined) throw toKafkaError(found.error);
    return { topicId: found.topicId.base64, partitions: found.partitions.length };
  }

  /** The partitions that the group's members have now. @throws KafkaError */
  async assignedPartitions(groupId: string, timeoutMs: number): Promise<TopicPartition[]> {
    const { groups } = await this.#request<{ groups: GroupDescription[] }>((admin, done) =>
      admin.describeGroups([groupId], { timeout: timeoutMs }, done),
    );
    const members = groups.flatMap((group) => group.members ?? []);
    return members.flatMap(({ assignment }) =>
      (assignment?.topicPartitions ?? []).map(({ topic, partition }) => ({ topic, partition })),
    );
  }

  /** Resolves when no request is in progress: the consumer must not be closed before. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }

  close(): void {
    this.#admin?.disconnect();
    this.#admin = undefined;
  }

  #request<T>(start: (admin: DependentAdmin, done: Callback<T>) => void): Promise<T> {
    const request = new Promise<T>((resolve, reject) => {
      try {
        this.#admin ??= construct({}, ({ AdminClient }) => dependentOn(AdminClient, this.#consumer));
        start(this.#admin, (error, result) => (error ? reject(toKafkaError(error)) : resolve(result)));
      } catch (thrown) {
        reject(toKafkaError(thrown));
      }
    });
    this.#pending.add(request);
    const forget = () => this.#pending.delete(request);
    request.then(forget, forget);
    return request;
  }
}

function dependentOn(admin: ConfluentClient["AdminClient"], consumer: KafkaConsumer): DependentAdmin {
  return admin.createFrom(consumer) as unknown as DependentAdmin;
}
