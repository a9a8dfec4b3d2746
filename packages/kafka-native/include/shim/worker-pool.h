// Threads for Nan::AsyncWorker.
//
// napi_async_work would run on the runtime's own pool (four threads in Node,
// about one per core in Bun), which also serves file access and DNS. A consumer
// that waits for messages blocks its thread for seconds, so a few of them would
// stall everything else. This pool grows when no thread is idle, up to a bound,
// and shrinks again.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace shim {

class Job {
 public:
  virtual ~Job() = default;
  // On a pool thread. May delete itself.
  virtual void Execute() = 0;
};

class WorkerPool {
 public:
  // One a process, never destroyed: threads may be blocked when it exits.
  static WorkerPool& Instance();

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Submit(Job* job);

 private:
  // More than this many calls that block at once wait for each other.
  static constexpr size_t kMaxThreads = 128;
  static constexpr int kIdleSeconds = 30;

  WorkerPool() = default;
  static void ThreadMain(void* pool);
  void Loop();

  std::mutex mutex_;
  std::condition_variable work_available_;
  std::deque<Job*> queue_;
  size_t idle_ = 0;
  size_t threads_ = 0;
};

}  // namespace shim
