#include "topic_config.h"

#include <rdkafka.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "src/connection.h"

namespace admin {

namespace {

// Beyond the request's own limit, so that its error is seen.
constexpr int kPollMarginMs = 1000;

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

class DescribeWorker : public Nan::AsyncWorker {
 public:
  DescribeWorker(Nan::Callback* callback, rd_kafka_t* client, std::string topic, int timeout_ms)
      : Nan::AsyncWorker(callback), client_(client), topic_(std::move(topic)), timeout_ms_(timeout_ms) {}

  // On a thread of its own: it waits for the broker.
  void Execute() override {
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_), rd_kafka_queue_destroy);
    const Owned<rd_kafka_AdminOptions_t> options(
        rd_kafka_AdminOptions_new(client_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS), rd_kafka_AdminOptions_destroy);
    char reason[256];
    code_ = rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms_, reason, sizeof(reason));
    if (code_ != 0) return;
    const Owned<rd_kafka_ConfigResource_t> resource(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_.c_str()),
        rd_kafka_ConfigResource_destroy);
    rd_kafka_ConfigResource_t* resources[] = {resource.get()};
    rd_kafka_DescribeConfigs(client_, resources, 1, options.get(), queue.get());
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), timeout_ms_ + kPollMarginMs),
                                        rd_kafka_event_destroy);
    if (event == nullptr) {
      code_ = RD_KAFKA_RESP_ERR__TIMED_OUT;
      return;
    }
    code_ = rd_kafka_event_error(event.get());
    if (code_ == 0) Read(rd_kafka_event_DescribeConfigs_result(event.get()));
  }

  void HandleOKCallback() override {
    Nan::HandleScope scope;
    v8::Local<v8::Array> entries = Nan::New<v8::Array>();
    for (uint32_t i = 0; i < entries_.size(); i++) {
      Nan::Set(entries, i, Nan::New(entries_[i]).ToLocalChecked());
    }
    v8::Local<v8::Value> arguments[] = {Nan::New(code_), entries};
    callback->Call(2, arguments);
  }

 private:
  void Read(const rd_kafka_DescribeConfigs_result_t* result) {
    size_t count = 0;
    const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (size_t i = 0; i < count; i++) {
      code_ = rd_kafka_ConfigResource_error(found[i]);
      size_t size = 0;
      const rd_kafka_ConfigEntry_t** entries = rd_kafka_ConfigResource_configs(found[i], &size);
      for (size_t n = 0; n < size; n++) {
        const char* value = rd_kafka_ConfigEntry_value(entries[n]);
        if (value == nullptr) continue;
        entries_.emplace_back(rd_kafka_ConfigEntry_name(entries[n]));
        entries_.emplace_back(value);
      }
    }
  }

  rd_kafka_t* client_;
  std::string topic_;
  int timeout_ms_;
  int code_ = 0;
  std::vector<std::string> entries_;
};

NAN_METHOD(TopicConfig) {
  if (info.Length() < 4 || !info[0]->IsObject() || !info[1]->IsString() || !info[3]->IsFunction()) {
    return Nan::ThrowError("topicConfig() takes a native client, a topic, a time limit and a function");
  }
  auto* connection = Nan::ObjectWrap::Unwrap<NodeKafka::Connection>(info[0].As<v8::Object>());
  if (!connection->IsConnected()) return Nan::ThrowError("Connect the client before topicConfig()");
  const int timeout_ms = Nan::To<int32_t>(info[2]).FromMaybe(0);
  auto* callback = new Nan::Callback(info[3].As<v8::Function>());
  Nan::AsyncQueueWorker(
      new DescribeWorker(callback, connection->GetClient()->c_ptr(), *Nan::Utf8String(info[1]), timeout_ms));
}

}  // namespace

void Init(v8::Local<v8::Object> exports) {
  Nan::Set(exports, Nan::New("topicConfig").ToLocalChecked(),
           Nan::GetFunction(Nan::New<v8::FunctionTemplate>(TopicConfig)).ToLocalChecked());
}

}  // namespace admin
