// Outbox: many records into librdkafka by one call, beside Confluent's own
// `produce` and on the same producer.
//
//   const outbox = new addon.Outbox(producer, onOutcomes)   before the producer connects
//   outbox.open(topic)                                      once it has connected: where `produce` sends
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
// Records lie end to end in `slab` (a Buffer), key before value; `spans` is a
// Buffer over four uint32 a record: key length (0xffffffff: no key), value
// length, token, and room for librdkafka's error code. Error codes are written
// only when a record is refused, and then for every record (0: accepted).
// In produceOne, `partition` is -1 for the partitioner's choice, `key` and
// `value` are Buffers or null, `timestamp` is Unix ms or 0 for now, `headers` undefined or
// [name, Buffer or null, name, Buffer or null, …].
// Each accepted record has exactly one outcome: 24 bytes with uint32
// token, int32 error, int32 partition, four unused bytes, float64 offset.
#pragma once

#include <nan.h>
#include <rdkafka.h>

#include <memory>
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
  static NAN_METHOD(ProduceOne);
  static NAN_METHOD(TakeOutcomes);
  static NAN_METHOD(Close);

  static NAUV_WORK_CB(OnWake);

  uint32_t ProduceRecords(char* slab, uint32_t* spans, uint32_t count);
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
