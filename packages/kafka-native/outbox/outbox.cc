#include "outbox.h"

#include <array>
#include <cstring>
#include <string>

#include "../admin/topic_config.h"
#include "../guards/guards.h"
#include "src/producer.h"

namespace outbox {

namespace {

constexpr uint32_t kNoKey = 0xffffffff;
constexpr uint32_t kNullHeader = 0xffffffff;
constexpr size_t kHeaderLengthsSize = 2 * sizeof(uint32_t);

// Connection's configuration is protected: only a derived class may name it.
struct ConfigurationOf : NodeKafka::Connection {
  static rd_kafka_conf_t* Get(NodeKafka::Connection* connection) {
    return (connection->*(&ConfigurationOf::m_gconfig))->c_ptr_global();
  }
};

bool IsBuffer(const v8::Local<v8::Value>& value) { return node::Buffer::HasInstance(value); }

bool IsBufferOrNull(const v8::Local<v8::Value>& value) { return value->IsNull() || IsBuffer(value); }

uint32_t KeySize(const Span& span) { return span.key_size == kNoKey ? 0 : span.key_size; }

size_t SizeOf(const Span& span) { return size_t{KeySize(span)} + span.value_size + span.headers_size; }

// A block of headers as librdkafka's; null when it is malformed.
rd_kafka_headers_t* ToHeaders(const char* block, size_t size) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(4);
  const char* at = block;
  size_t left = size;
  while (left > 0) {
    uint32_t lengths[2];
    if (left < kHeaderLengthsSize) break;
    std::memcpy(lengths, at, kHeaderLengthsSize);
    const bool has_value = lengths[1] != kNullHeader;
    const size_t value_size = has_value ? lengths[1] : 0;
    const size_t header_size = kHeaderLengthsSize + lengths[0] + value_size;
    if (left < header_size) break;
    const char* name = at + kHeaderLengthsSize;
    rd_kafka_header_add(headers, name, static_cast<ssize_t>(lengths[0]),
                        has_value ? name + lengths[0] : nullptr, static_cast<ssize_t>(value_size));
    at += header_size;
    left -= header_size;
  }
  if (left == 0) return headers;
  rd_kafka_headers_destroy(headers);
  return nullptr;
}

// The client's defaults with [name, value, …]; null with `error` set for an invalid setting.
rd_kafka_topic_conf_t* ToTopicConfiguration(rd_kafka_t* client, const v8::Local<v8::Array>& settings,
                                            std::string& error) {
  rd_kafka_topic_conf_t* configuration = rd_kafka_default_topic_conf_dup(client);
  for (uint32_t i = 0; i + 1 < settings->Length(); i += 2) {
    const Nan::Utf8String name(Nan::Get(settings, i).ToLocalChecked());
    const Nan::Utf8String value(Nan::Get(settings, i + 1).ToLocalChecked());
    char reason[512];
    if (rd_kafka_topic_conf_set(configuration, *name, *value, reason, sizeof(reason)) == RD_KAFKA_CONF_OK)
      continue;
    error = reason;
    rd_kafka_topic_conf_destroy(configuration);
    return nullptr;
  }
  return configuration;
}

}  // namespace

void Outbox::Init(v8::Local<v8::Object> exports) {
  v8::Local<v8::FunctionTemplate> description = Nan::New<v8::FunctionTemplate>(New);
  description->SetClassName(Nan::New("Outbox").ToLocalChecked());
  description->InstanceTemplate()->SetInternalFieldCount(1);
  Nan::SetPrototypeMethod(description, "open", Open);
  Nan::SetPrototypeMethod(description, "produce", Produce);
  Nan::SetPrototypeMethod(description, "produceOne", ProduceOne);
  Nan::SetPrototypeMethod(description, "takeOutcomes", TakeOutcomes);
  Nan::SetPrototypeMethod(description, "close", Close);
  Nan::Set(exports, Nan::New("Outbox").ToLocalChecked(), Nan::GetFunction(description).ToLocalChecked());
}

Outbox::Outbox(const v8::Local<v8::Function>& on_outcomes)
    : wake_(new uv_async_t), on_outcomes_(on_outcomes) {
  uv_async_init(uv_default_loop(), wake_, OnWake);
  wake_->data = this;
  outcomes_ = std::make_shared<Outcomes>([wake = wake_] { uv_async_send(wake); });
}

Outbox::~Outbox() { CloseHandles(); }

NAN_METHOD(Outbox::New) {
  if (!info.IsConstructCall()) return Nan::ThrowError("Outbox is a class: call it with new");
  if (info.Length() < 2 || !info[0]->IsObject() || !info[1]->IsFunction()) {
    return Nan::ThrowError("new Outbox() takes a native producer and a function");
  }
  v8::Local<v8::Object> producer_object = info[0].As<v8::Object>();
  auto* producer = Nan::ObjectWrap::Unwrap<NodeKafka::Producer>(producer_object);
  if (producer->IsConnected()) return Nan::ThrowError("Create the outbox before its producer connects");

  auto* outbox = new Outbox(info[1].As<v8::Function>());
  outbox->Wrap(info.This());
  outbox->outcomes_->Intercept(ConfigurationOf::Get(producer));
  // The producer's configuration points to the outcomes: keep them as long as the producer.
  Nan::Set(producer_object, Nan::New("outbox").ToLocalChecked(), info.This());
  info.GetReturnValue().Set(info.This());
}

NAN_METHOD(Outbox::Open) {
  auto* outbox = Nan::ObjectWrap::Unwrap<Outbox>(info.This());
  if (info.Length() < 1 || !info[0]->IsString()) return Nan::ThrowError("open() takes a topic's name");
  rd_kafka_t* client = outbox->outcomes_->client();
  if (client == nullptr || outbox->wake_ == nullptr)
    return Nan::ThrowError("Connect the producer before open()");
  rd_kafka_topic_conf_t* configuration = nullptr;
  if (info[1]->IsArray()) {
    std::string error;
    configuration = ToTopicConfiguration(client, info[1].As<v8::Array>(), error);
    if (configuration == nullptr) return Nan::ThrowError(error.c_str());
  }
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, *Nan::Utf8String(info[0]), configuration);
  if (topic == nullptr) return Nan::ThrowError(rd_kafka_err2str(rd_kafka_last_error()));
  outbox->topics_.push_back(topic);
  info.GetReturnValue().Set(Nan::New(static_cast<uint32_t>(outbox->topics_.size() - 1)));
}

NAN_METHOD(Outbox::Produce) {
  auto* outbox = Nan::ObjectWrap::Unwrap<Outbox>(info.This());
  if (info.Length() < 3 || !IsBuffer(info[0]) || !IsBuffer(info[1])) {
    return Nan::ThrowError("produce() takes two buffers and a count");
  }
  const uint32_t count = Nan::To<uint32_t>(info[2]).FromMaybe(0);
  if (node::Buffer::Length(info[1]) < count * sizeof(Span)) {
    return Nan::ThrowError("spans is too short for count");
  }
  auto* spans = reinterpret_cast<Span*>(node::Buffer::Data(info[1]));
  const size_t size = node::Buffer::Length(info[0]);
  size_t used = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (spans[i].topic >= outbox->topics_.size()) return Nan::ThrowError("The topic of a record is not open");
    used += SizeOf(spans[i]);
  }
  if (used > size) return Nan::ThrowError("spans reach past the slab");
  const uint32_t refused = outbox->ProduceRecords(node::Buffer::Data(info[0]), spans, count);
  info.GetReturnValue().Set(Nan::New(refused));
}

uint32_t Outbox::ProduceRecords(char* slab, Span* spans, uint32_t count) {
  uint32_t refused = 0;
  char* at = slab;
  for (uint32_t i = 0; i < count;) {
    uint32_t run = 0;
    while (i + run < count && spans[i + run].headers_size == 0 && spans[i + run].topic == spans[i].topic)
      run++;
    if (run == 0) {
      refused += ProduceWithHeaders(at, spans[i]);
      at += SizeOf(spans[i]);
      run = 1;
    } else {
      refused += ProduceRun(at, spans + i, run);
    }
    i += run;
  }
  return refused;
}

uint32_t Outbox::ProduceRun(char*& at, Span* spans, uint32_t count) {
  records_.assign(count, rd_kafka_message_t{});
  for (uint32_t i = 0; i < count; i++) {
    Span& span = spans[i];
    rd_kafka_message_t& record = records_[i];
    if (span.key_size != kNoKey) {
      record.key = at;
      record.key_len = span.key_size;
      at += span.key_size;
    }
    record.payload = at;
    record.len = span.value_size;
    at += span.value_size;
    record._private = Outcomes::MakeTag(span.token);
    span.error = 0;
  }
  Outcomes::is_producing = true;
  const int taken = rd_kafka_produce_batch(topics_[spans->topic], RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                           records_.data(), static_cast<int>(count));
  Outcomes::is_producing = false;
  const uint32_t refused = count - static_cast<uint32_t>(taken);
  if (refused > 0) {
    for (uint32_t i = 0; i < count; i++) spans[i].error = static_cast<uint32_t>(records_[i].err);
  }
  return refused;
}

// rd_kafka_produce_batch takes no headers.
uint32_t Outbox::ProduceWithHeaders(char* at, Span& span) {
  char* value = at + KeySize(span);
  rd_kafka_headers_t* headers = ToHeaders(value + span.value_size, span.headers_size);
  if (headers == nullptr) {
    span.error = static_cast<uint32_t>(RD_KAFKA_RESP_ERR__INVALID_ARG);
    return 1;
  }
  const std::array<rd_kafka_vu_t, 7> arguments{{
      {.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = topics_[span.topic]}},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {span.key_size == kNoKey ? nullptr : at, KeySize(span)}}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {value, span.value_size}}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = Outcomes::MakeTag(span.token)}},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = RD_KAFKA_PARTITION_UA}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = headers}},
  }};
  span.error = static_cast<uint32_t>(ProduceArguments(arguments.data(), arguments.size(), headers));
  return span.error == 0 ? 0 : 1;
}

// Returns librdkafka's error code. `headers` may be null.
int32_t Outbox::ProduceArguments(const rd_kafka_vu_t* arguments, size_t count, rd_kafka_headers_t* headers) {
  Outcomes::is_producing = true;
  rd_kafka_error_t* error = rd_kafka_produceva(outcomes_->client(), arguments, count);
  Outcomes::is_producing = false;
  if (error == nullptr) return 0;
  const int32_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  // librdkafka owns the headers of a record that it has accepted.
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  return code;
}

NAN_METHOD(Outbox::ProduceOne) {
  auto* outbox = Nan::ObjectWrap::Unwrap<Outbox>(info.This());
  if (info.Length() < 6 || !info[0]->IsString() || !IsBufferOrNull(info[2]) || !IsBufferOrNull(info[3])) {
    return Nan::ThrowError(
        "produceOne() takes a topic, a partition, key and value as Buffer or null, a timestamp and a token");
  }
  rd_kafka_t* client = outbox->outcomes_->client();
  if (client == nullptr || outbox->wake_ == nullptr)
    return Nan::ThrowError("The outbox is closed, or its producer is not connected");
  rd_kafka_headers_t* headers = nullptr;
  if (!info[6]->IsUndefined()) {
    if (!IsBuffer(info[6])) return Nan::ThrowError("headers must be a block of headers");
    headers = ToHeaders(node::Buffer::Data(info[6]), node::Buffer::Length(info[6]));
    if (headers == nullptr) return Nan::ThrowError("headers must be a block of headers");
  }
  const Nan::Utf8String topic(info[0]);
  const int32_t partition = Nan::To<int32_t>(info[1]).FromMaybe(RD_KAFKA_PARTITION_UA);
  const bool has_key = !info[2]->IsNull();
  const bool has_value = !info[3]->IsNull();
  char* key = has_key ? node::Buffer::Data(info[2]) : nullptr;
  char* value = has_value ? node::Buffer::Data(info[3]) : nullptr;
  const size_t key_size = has_key ? node::Buffer::Length(info[2]) : 0;
  const size_t value_size = has_value ? node::Buffer::Length(info[3]) : 0;
  const int64_t timestamp = Nan::To<int64_t>(info[4]).FromMaybe(0);
  void* tag = Outcomes::MakeTag(Nan::To<uint32_t>(info[5]).FromMaybe(0));

  const std::array<rd_kafka_vu_t, 8> arguments{{
      {.vtype = RD_KAFKA_VTYPE_TOPIC, .u = {.cstr = *topic}},
      {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {key, key_size}}},
      {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {value, value_size}}},
      {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u = {.i64 = timestamp}},
      {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}},
      {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = tag}},
      {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}},
      {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = headers}},
  }};
  const size_t used = arguments.size() - (headers == nullptr ? 1 : 0);
  info.GetReturnValue().Set(Nan::New(outbox->ProduceArguments(arguments.data(), used, headers)));
}

NAN_METHOD(Outbox::TakeOutcomes) {
  auto* outbox = Nan::ObjectWrap::Unwrap<Outbox>(info.This());
  if (info.Length() < 1 || !IsBuffer(info[0])) return Nan::ThrowError("takeOutcomes() takes a buffer");
  auto* into = reinterpret_cast<Outcome*>(node::Buffer::Data(info[0]));
  const size_t count = outbox->outcomes_->Take(into, node::Buffer::Length(info[0]) / sizeof(Outcome));
  info.GetReturnValue().Set(Nan::New(static_cast<uint32_t>(count)));
}

NAN_METHOD(Outbox::Close) {
  auto* outbox = Nan::ObjectWrap::Unwrap<Outbox>(info.This());
  // Purged records have an outcome; a client that is destroyed drops some of them silently.
  rd_kafka_t* client = outbox->outcomes_->client();
  if (client != nullptr) rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  outbox->CloseHandles();
}

NAUV_WORK_CB(Outbox::OnWake) {
  auto* outbox = static_cast<Outbox*>(async->data);
  if (outbox != nullptr) outbox->on_outcomes_.Call(0, nullptr);
}

void Outbox::CloseHandles() {
  for (rd_kafka_topic_t* topic : topics_) rd_kafka_topic_destroy(topic);
  topics_.clear();
  if (wake_ == nullptr) return;
  outcomes_->Silence();
  wake_->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(wake_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
  wake_ = nullptr;
}

}  // namespace outbox

void shim::ExportExtras(v8::Local<v8::Object> exports) {
  outbox::Outbox::Init(exports);
  admin::Init(exports);
  guards::Install();
}
