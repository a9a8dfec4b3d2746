#include "guards.h"

#include <nan.h>
#include <pthread.h>

#include <memory>

#include "shim/template.h"
#include "src/connection.h"

namespace guards {

namespace {

using NodeKafka::Connection;

// The Confluent methods that the guards call.
Nan::FunctionCallback poll = nullptr;
Nan::FunctionCallback set_poll_in_background = nullptr;
Nan::FunctionCallback send_offsets_to_transaction = nullptr;

// Connection's lock is protected: only a derived class may name it.
struct LockOf : Connection {
  static uv_rwlock_t& Get(Connection* connection) { return connection->*(&LockOf::m_connection_lock); }
};

// Holds a connection's lock for reading, unless a disconnect holds it: that may
// take seconds, which the JavaScript thread must not wait for.
class ReadLock {
 public:
  explicit ReadLock(Connection* connection)
      : lock_(LockOf::Get(connection).lock), is_held_(pthread_rwlock_tryrdlock(lock_.get()) == 0) {}
  ~ReadLock() {
    if (is_held_) pthread_rwlock_unlock(lock_.get());
  }
  ReadLock(const ReadLock&) = delete;
  ReadLock& operator=(const ReadLock&) = delete;

  bool is_held() const { return is_held_; }

 private:
  const std::shared_ptr<pthread_rwlock_t> lock_;
  const bool is_held_;
};

NAN_METHOD(Poll) {
  const ReadLock lock(Nan::ObjectWrap::Unwrap<Connection>(info.This()));
  if (!lock.is_held()) return Nan::ThrowError("Producer is disconnected");
  poll(info);
}

NAN_METHOD(SetPollInBackground) {
  if (!Nan::ObjectWrap::Unwrap<Connection>(info.This())->IsConnected()) {
    return Nan::ThrowError("Client is disconnected");
  }
  set_poll_in_background(info);
}

NAN_METHOD(SendOffsetsToTransaction) {
  if (info[1]->IsObject() && !Nan::ObjectWrap::Unwrap<Connection>(info[1].As<v8::Object>())->IsConnected()) {
    return Nan::ThrowError("Consumer is disconnected");
  }
  send_offsets_to_transaction(info);
}

}  // namespace

void Install() {
  shim::ClassTemplate& producer = shim::ClassTemplate::Named("Producer");
  poll = producer.ReplaceMethod("poll", Poll);
  set_poll_in_background = producer.ReplaceMethod("setPollInBackground", SetPollInBackground);
  send_offsets_to_transaction = producer.ReplaceMethod("sendOffsetsToTransaction", SendOffsetsToTransaction);
}

}  // namespace guards
