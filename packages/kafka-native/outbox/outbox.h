// Outbox: many records into librdkafka by one call, beside Confluent's own
// `produce` and on the same producer.
//
//   const outbox = new addon.Outbox(producer, onOutcomes)   before the producer connects
//   outbox.open(topic, [name, value, …]) → index            once it has connected: a topic for `produce`, and librdkafka's
//                                                           settings of it
//   outbox.produce(slab, spans, count) → refused            many records; those refused have their errors in `spans`
//   outbox.produceOne(topic, partition, key, value, timestamp, token, headers) → error
//   outbox.takeOutcomes(into) → count                       repeat until it returns fewer than fit
//   outbox.close()                                          before the producer disconnects: queued records fail
//                                                           (_PURGE_QUEUE: never sent; _PURGE_INFLIGHT: may have
//                                                           been written). All outcomes can be taken once the
//                                                           producer has disconnected
//
// `producer` is the native object of Confluent's Producer (its `getClient()`).
// It must have no delivery report callback, which would follow a record's tag as
// if it were a pointer.
// Records lie end to end in `slab` (a Buffer): key, value, headers. `spans` is a
// Buffer over a Span for each record; its errors are meaningful once a record was refused.
// Headers are a block: for each one its name's length and its value's
// (0xffffffff: null) as uint32, the name, the value. A topic's records are handed
// over in the order of the slab.
// In produceOne, `partition` is -1 for the partitioner's choice, `key` and
// `value` are Buffers or null, `timestamp` is Unix ms or 0 for now, `headers` is a Buffer or undefined.
// Each accepted record has exactly one outcome: 24 bytes with uint32
// token, int32 error, int32 partition, four unused bytes, float64 offset.
#pragma once

#include <nan.h>
#include <rdkafka.h>

#include <memory>
#include <vector>

#include "outcomes.h"

namespace outbox {

// One record in the slab, as JavaScript writes it.
struct Span {
  // Index of an open topic.
  uint32_t topic;
  // 0xffffffff: no key.
  uint32_t key_size;
  uint32_t value_size;
  // 0: none.
  uint32_t headers_size;
  uint32_t token;
  // Written here: librdkafka's error code, 0 when it accepted the record.
  uint32_t error;
};
static_assert(sizeof(Span) == 24);

class Outbox : public Nan::ObjectWrap {
 public:
  static void Init(v8::Local<v8::Object> exports);

 private:
  explicit Outbox(const v8::Local<v8::Function>& on_outcomes);
  ~Outbox() override;

  static NAN_METHOD(New);
  static NAN_METHOD(Open);
  static NAN_METHOD(Produce);
  static NAN_METHOD(ProduceOne);
  static NAN_METHOD(TakeOutcomes);
  static NAN_METHOD(Close);

  static NAUV_WORK_CB(OnWake);

  // Each returns how many records were refused.
  uint32_t ProduceRecords(char* slab, Span* spans, uint32_t count);
  // Records of one topic without headers; moves `at` behind them.
  uint32_t ProduceRun(char*& at, Span* spans, uint32_t count);
  uint32_t ProduceWithHeaders(char* at, Span& span);
  int32_t ProduceArguments(const rd_kafka_vu_t* arguments, size_t count, rd_kafka_headers_t* headers);
  void CloseHandles();

  std::shared_ptr<Outcomes> outcomes_;
  std::vector<rd_kafka_topic_t*> topics_;
  // Reused from call to call.
  std::vector<rd_kafka_message_t> records_;
  // Deleted by its own close callback, as libuv asks.
  uv_async_t* wake_ = nullptr;
  Nan::Callback on_outcomes_;
};

}  // namespace outbox
