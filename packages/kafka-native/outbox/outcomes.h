// Outcomes of an outbox's records, recorded on librdkafka's own threads without
// delivery reports.
//
// librdkafka calls an on_acknowledgement interceptor once for each record it
// accepted, whatever the outcome. Recording it there costs a few dozen
// nanoseconds; a delivery report costs a queued operation, a thread's wake-up,
// an object and a call into JavaScript.
#pragma once

#include <rdkafka.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace outbox {

// The layout that JavaScript reads.
struct Outcome {
  uint32_t token;
  // librdkafka's code; 0 when the record is stored.
  int32_t error;
  int32_t partition;
  int32_t reserved;
  double offset;
};
static_assert(sizeof(Outcome) == 24);

// Shared by the outbox and by librdkafka's client.
class Outcomes : public std::enable_shared_from_this<Outcomes> {
 public:
  // `wake` is called from librdkafka's threads when there is an outcome to
  // take and none was there before.
  explicit Outcomes(std::function<void()> wake) : wake_(std::move(wake)) {}
  Outcomes(const Outcomes&) = delete;
  Outcomes& operator=(const Outcomes&) = delete;

  // Makes every client that is created from `configuration` report here. Call
  // it before the client exists: librdkafka adds no interceptor to a client.
  void Intercept(rd_kafka_conf_t* configuration);

  // The client made from that configuration; null before it is made and once
  // it is being destroyed.
  rd_kafka_t* client() const { return client_.load(std::memory_order_acquire); }

  // From now on `wake` is not called.
  void Silence();

  // Moves the oldest outcomes to `into`, as many as fit. Returns their number.
  size_t Take(Outcome* into, size_t capacity);

  // A record's opaque: a bit that marks it as the outbox's, and the caller's
  // token. The opaque of Confluent's own records is a pointer or null, and
  // neither has this bit.
  static void* MakeTag(uint32_t token);

  // Set while this thread is inside librdkafka's produce call. The call runs
  // the interceptor for the records that it rejects, and also returns their
  // errors, so the interceptor ignores them.
  static thread_local bool is_producing;

 private:
  static rd_kafka_resp_err_t OnDuplicate(rd_kafka_conf_t* copy, const rd_kafka_conf_t* original,
                                         size_t filter_count, const char** filter, void* outcomes);
  static rd_kafka_resp_err_t OnNew(rd_kafka_t* client, const rd_kafka_conf_t* configuration, void* outcomes,
                                   char* error, size_t error_size);
  static rd_kafka_resp_err_t OnDestroy(rd_kafka_t* client, void* outcomes);
  static rd_kafka_resp_err_t OnAcknowledgement(rd_kafka_t* client, rd_kafka_message_t* record,
                                               void* outcomes);

  void Add(const Outcome& outcome);

  std::atomic<rd_kafka_t*> client_{nullptr};
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<Outcome> outcomes_;
  // How many of outcomes_ have been taken.
  size_t taken_ = 0;
  // Set once a client reports here, and never cleared: a client's threads still
  // call the interceptor while it is destroyed, and librdkafka does not report
  // when the last of them ends (on_destroy comes before). Clients are few.
  std::shared_ptr<Outcomes> self_;
};

}  // namespace outbox
