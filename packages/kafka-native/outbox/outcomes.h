// What became of the records that went through an outbox, counted where
// librdkafka learns it: on its own threads, without a delivery report.
//
// librdkafka calls an on_acknowledgement interceptor once for each record it
// took, however the record ended. Counting there costs two atomic additions;
// a delivery report costs a queued operation, a thread's wake-up, an object and
// a call into JavaScript.
#pragma once

#include <rdkafka.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace outbox {

// A record that failed, or whose outcome somebody waits for.
struct Outcome {
  uint32_t token;
  int32_t error;
  int32_t partition;
  int64_t offset;
  // Of failed records alone: they are handed back, so that nothing has to be
  // kept on the JavaScript side for the many that succeed.
  bool has_key = false;
  std::string key;
  std::string value;
};

// Shared by the outbox and by librdkafka's client.
class Outcomes : public std::enable_shared_from_this<Outcomes> {
 public:
  // `wake` is called from librdkafka's threads when there is an outcome to
  // take and none was there before.
  explicit Outcomes(std::function<void()> wake) : wake_(std::move(wake)) {}
  Outcomes(const Outcomes&) = delete;
  Outcomes& operator=(const Outcomes&) = delete;

  // Makes every client that is created from `configuration` count here. To be
  // called before the client exists: librdkafka takes interceptors in no later.
  void Intercept(rd_kafka_conf_t* configuration);

  // The client made from that configuration; null before it is.
  rd_kafka_t* client() const { return client_.load(std::memory_order_acquire); }

  // No wake-up from here on.
  void Silence();

  std::vector<Outcome> Take();

  uint64_t settled() const { return settled_.load(std::memory_order_acquire); }
  uint64_t settled_bytes() const { return settled_bytes_.load(std::memory_order_relaxed); }
  uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }

  // What a record carries through librdkafka: that it came from here, and the
  // caller's token (0: nobody waits). Confluent's own records carry a pointer
  // or nothing, neither of which has this bit.
  static void* MakeTag(uint32_t token);

  // Set while this thread is inside librdkafka's produce call, which runs the
  // interceptor for records that it doesn't take; the caller is told of those.
  static thread_local bool is_producing;

 private:
  static rd_kafka_resp_err_t OnDuplicate(rd_kafka_conf_t* copy, const rd_kafka_conf_t* original, size_t filter_count,
                                         const char** filter, void* outcomes);
  static rd_kafka_resp_err_t OnNew(rd_kafka_t* client, const rd_kafka_conf_t* configuration, void* outcomes,
                                   char* error, size_t error_size);
  static rd_kafka_resp_err_t OnDestroy(rd_kafka_t* client, void* outcomes);
  static rd_kafka_resp_err_t OnAcknowledgement(rd_kafka_t* client, rd_kafka_message_t* record, void* outcomes);

  void Settle(const rd_kafka_message_t& record, uint32_t token);

  std::atomic<rd_kafka_t*> client_{nullptr};
  std::atomic<uint64_t> settled_{0};
  std::atomic<uint64_t> settled_bytes_{0};
  std::atomic<uint64_t> failed_{0};

  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<Outcome> outcomes_;
  // Set once a client counts here, and never cleared: a client's threads go on
  // acknowledging while it is destroyed, and librdkafka has no word for when
  // the last of them is done (on_destroy comes before). A process makes few.
  std::shared_ptr<Outcomes> self_;
};

}  // namespace outbox
