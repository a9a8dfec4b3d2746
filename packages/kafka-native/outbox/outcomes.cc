#include "outcomes.h"

#include <algorithm>

namespace outbox {

namespace {

constexpr char kName[] = "outbox";
// User-space pointers of every platform that Bun and Node run on leave it clear.
constexpr uint64_t kTag = uint64_t{1} << 63;

static_assert(sizeof(void*) == sizeof(uint64_t));

}  // namespace

thread_local bool Outcomes::is_producing = false;

void* Outcomes::MakeTag(uint32_t token) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): librdkafka carries a pointer and never follows it.
  return reinterpret_cast<void*>(kTag | token);
}

void Outcomes::Intercept(rd_kafka_conf_t* configuration) {
  // The client is created from a copy of the configuration, and copies don't
  // inherit interceptors: they have to be added again.
  rd_kafka_conf_interceptor_add_on_conf_dup(configuration, kName, OnDuplicate, this);
  rd_kafka_conf_interceptor_add_on_new(configuration, kName, OnNew, this);
}

rd_kafka_resp_err_t Outcomes::OnDuplicate(rd_kafka_conf_t* copy, const rd_kafka_conf_t*, size_t, const char**,
                                          void* outcomes) {
  static_cast<Outcomes*>(outcomes)->Intercept(copy);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Outcomes::OnNew(rd_kafka_t* client, const rd_kafka_conf_t*, void* outcomes, char*,
                                    size_t) {
  auto* self = static_cast<Outcomes*>(outcomes);
  self->self_ = self->shared_from_this();
  self->client_.store(client, std::memory_order_release);
  rd_kafka_interceptor_add_on_destroy(client, kName, OnDestroy, self);
  return rd_kafka_interceptor_add_on_acknowledgement(client, kName, OnAcknowledgement, self);
}

rd_kafka_resp_err_t Outcomes::OnDestroy(rd_kafka_t*, void* outcomes) {
  static_cast<Outcomes*>(outcomes)->client_.store(nullptr, std::memory_order_release);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Outcomes::OnAcknowledgement(rd_kafka_t*, rd_kafka_message_t* record, void* outcomes) {
  const auto tag = reinterpret_cast<uint64_t>(record->_private);
  if ((tag & kTag) != 0 && !is_producing) {
    static_cast<Outcomes*>(outcomes)->Add(
        {static_cast<uint32_t>(tag), record->err, record->partition, 0, static_cast<double>(record->offset)});
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void Outcomes::Add(const Outcome& outcome) {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool was_empty = outcomes_.empty();
  outcomes_.push_back(outcome);
  if (was_empty && wake_) wake_();
}

void Outcomes::Silence() {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = nullptr;
}

size_t Outcomes::Take(Outcome* into, size_t capacity) {
  std::lock_guard<std::mutex> lock(mutex_);
  const size_t count = std::min(capacity, outcomes_.size() - taken_);
  std::copy_n(outcomes_.begin() + static_cast<ptrdiff_t>(taken_), count, into);
  taken_ += count;
  if (taken_ == outcomes_.size()) {
    outcomes_.clear();
    taken_ = 0;
  }
  return count;
}

}  // namespace outbox
