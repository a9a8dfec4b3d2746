#include "outbox.h"

#include "../admin/topic_config.h"
#include "../guards/guards.h"
#include "src/producer.h"

namespace outbox {

namespace {

constexpr uint32_t kNoKey = 0xffffffff;
constexpr size_t kSpanWords = 4;

// Connection's configuration is protected: only a derived class may name it.
struct ConfigurationOf : NodeKafka::Connection {
  static rd_kafka_conf_t* Get(NodeKafka::Connection* connection) {
    return (connection->*(&ConfigurationOf::m_gconfig))->c_ptr_global();
  }
};

bool IsBuffer(const v8::Local<v8::Value>& value) { return node::Buffer::HasInstance(value); }

bool IsBufferOrNull(const v8::Local<v8::Value>& value) { return value->IsNull() || IsBuffer(value); }

// [name, Buffer or null, …] as librdkafka's headers; null for a value of another shape.
rd_kafka_headers_t* ToHeaders(const v8::Local<v8::Value>& value) {
  if (!value->IsArray()) return nullptr;
  v8::Local<v8::Array> pairs = value.As<v8::Array>();
  const uint32_t size = pairs->Length();
  rd_kafka_headers_t* headers = rd_kafka_headers_new(size / 2);
  for (uint32_t i = 0; i + 1 < size; i += 2) {
    v8::Local<v8::Value> name = Nan::Get(pairs, i).ToLocalChecked();
    v8::Local<v8::Value> content = Nan::Get(pairs, i + 1).ToLocalChecked();
    if (!name->IsString() || !IsBufferOrNull(content)) {
      rd_kafka_headers_destroy(headers);
      return nullptr;
    }
    const bool has_value = !content->IsNull();
    rd_kafka_header_add(headers, *Nan::Utf8String(name), -1,
                        has_value ? node::Buffer::Data(content) : nullptr,
                        has_value ? static_cast<ssize_t>(node::Buffer::Length(content)) : 0);
  }
  return headers;
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
  if (client == nullptr) return Nan::ThrowError("Connect the producer before open()");
  if (outbox->topic_ != nullptr) return Nan::ThrowError("The outbox is open already");
  outbox->topic_ = rd_kafka_topic_new(client, *Nan::Utf8String(info[0]), nullptr);
  if (outbox->topic_ == nullptr) return Nan::ThrowError(rd_kafka_err2str(rd_kafka_last_error()));
}

NAN_METHOD(Outbox::Produce) {
  auto* outbox = Nan::ObjectWrap::Unwrap<Outbox>(info.This());
  if (info.Length() < 3 || !IsBuffer(info[0]) || !IsBuffer(info[1])) {
    return Nan::ThrowError("produce() takes two buffers and a count");
  }
  if (outbox->topic_ == nullptr) return Nan::ThrowError("The outbox is not open");
  const uint32_t count = Nan::To<uint32_t>(info[2]).FromMaybe(0);
  if (node::Buffer::Length(info[1]) < count * kSpanWords * sizeof(uint32_t)) {
    return Nan::ThrowError("spans is too short for count");
  }
  auto* spans = reinterpret_cast<uint32_t*>(node::Buffer::Data(info[1]));
  const size_t size = node::Buffer::Length(info[0]);
  size_t used = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t key_size = spans[i * kSpanWords];
    used += (key_size == kNoKey ? 0 : size_t{key_size}) + spans[i * kSpanWords + 1];
  }
  if (used > size) return Nan::ThrowError("spans reach past the slab");
  const uint32_t refused = outbox->ProduceRecords(node::Buffer::Data(info[0]), spans, count);
  info.GetReturnValue().Set(Nan::New(refused));
}

uint32_t Outbox::ProduceRecords(char* slab, uint32_t* spans, uint32_t count) {
  records_.assign(count, rd_kafka_message_t{});
  char* at = slab;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t* span = spans + i * kSpanWords;
    rd_kafka_message_t& record = records_[i];
    if (span[0] != kNoKey) {
      record.key = at;
      record.key_len = span[0];
      at += span[0];
    }
    record.payload = at;
    record.len = span[1];
    at += span[1];
    record._private = Outcomes::MakeTag(span[2]);
  }
  Outcomes::is_producing = true;
  const int taken = rd_kafka_produce_batch(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                           records_.data(), static_cast<int>(count));
  Outcomes::is_producing = false;
  const uint32_t refused = count - static_cast<uint32_t>(taken);
  if (refused > 0) {
    for (uint32_t i = 0; i < count; i++) {
      spans[i * kSpanWords + 3] = static_cast<uint32_t>(records_[i].err);
    }
  }
  return refused;
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
    headers = ToHeaders(info[6]);
    if (headers == nullptr) return Nan::ThrowError("headers must be [name, Buffer or null, …]");
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

  std::vector<rd_kafka_vu_t> arguments(8);
  arguments[0] = {.vtype = RD_KAFKA_VTYPE_TOPIC, .u = {.cstr = *topic}};
  arguments[1] = {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {key, key_size}}};
  arguments[2] = {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {value, value_size}}};
  arguments[3] = {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u = {.i64 = timestamp}};
  arguments[4] = {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}};
  arguments[5] = {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = tag}};
  arguments[6] = {.vtype = RD_KAFKA_VTYPE_PARTITION, .u = {.i32 = partition}};
  arguments[7] = {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = headers}};
  Outcomes::is_producing = true;
  rd_kafka_error_t* error =
      rd_kafka_produceva(client, arguments.data(), arguments.size() - (headers == nullptr));
  Outcomes::is_producing = false;
  const int32_t code = error == nullptr ? 0 : rd_kafka_error_code(error);
  if (error != nullptr) {
    rd_kafka_error_destroy(error);
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
  }
  info.GetReturnValue().Set(Nan::New(code));
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
  if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
  topic_ = nullptr;
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
