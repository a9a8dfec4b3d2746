// Outbox: many records into librdkafka by one call, beside Confluent's own
// `produce` and on the same producer.
//
//   const outbox = new addon.Outbox(producer, onOutcomes)   before the producer connects
//   outbox.open(topic)                                      once it has connected
//   outbox.produce(slab, spans, count) → refused            records refused, their errors in `spans`
//   outbox.readCounts(counts)                               counters, without allocating
//   outbox.takeOutcomes() → [packed, [key, value, …]]       failures, and what carried a token
//   outbox.close()                                          before the producer disconnects: what is still queued
//                                                           fails (_PURGE_QUEUE: never sent; _PURGE_INFLIGHT: may
//                                                           have been written); the outcomes are all there to take
//                                                           once the producer has disconnected
//
// `producer` is the native object of Confluent's Producer (its `getClient()`).
// Records lie end to end in `slab` (a Buffer), key before value; `spans` is a
// Buffer over uint32 triples, one a record: key length (0xffffffff: no key),
// value length, token (0: nobody waits for this one). For refused records the
// token's place is overwritten with librdkafka's error code, else with 0.
// `counts` is a Buffer over float64: records settled, bytes of keys and values
// settled, records failed. `packed` holds for each outcome two int32 (token,
// error), one int32 partition, four bytes of nothing, and a float64 offset.
// The second array has, in the same order, key (null: none) and value of each
// outcome whose error isn't 0.
#pragma once

#include <nan.h>
#include <rdkafka.h>

#include <memory>
#include <string>
#include <vector>

#include "outcomes.h"

namespace outbox {

class Outbox : public Nan::ObjectWrap {
 public:
  static void Init(v8::Local<v8::Object> exports);

 private:
  explicit Outbox(const v8::Local<v8::Function>& on_outcomes);
  ~Outbox() override;

  static NAN_METHOD(New);
  static NAN_METHOD(Open);
  static NAN_METHOD(Produce);
  static NAN_METHOD(ReadCounts);
  static NAN_METHOD(TakeOutcomes);
  static NAN_METHOD(Close);

  static NAUV_WORK_CB(OnWake);

  uint32_t ProduceRecords(char* slab, size_t slab_size, uint32_t* spans, uint32_t count);
  void CloseHandles();

  std::shared_ptr<Outcomes> outcomes_;
  rd_kafka_topic_t* topic_ = nullptr;
  // Reused from call to call.
  std::vector<rd_kafka_message_t> records_;
  // Deleted by its own close callback, as libuv asks.
  uv_async_t* wake_ = nullptr;
  Nan::Callback on_outcomes_;
};

}  // namespace outbox
