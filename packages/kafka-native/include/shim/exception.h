// Failures at which V8 aborts the process.
//
// ToLocalChecked() on an empty handle, FromJust() on nothing and Unwrap() of a
// foreign object are fatal in V8. Here they unwind the C++ method, whose locks
// and buffers are then released, and surface as a JavaScript exception: the one
// that made the handle empty if there is one, or else a TypeError.
#pragma once

#include <exception>

namespace shim {

class Unwind : public std::exception {
 public:
  // `message` has to be a string literal.
  explicit Unwind(const char* message) : message_(message) {}
  const char* what() const noexcept override { return message_; }

 private:
  const char* message_;
};

// Stores the exception that `unwind` stands for in the current environment.
void ThrowUnwound(const Unwind& unwind);

// Node-API calls that can only fail through a mistake of ours.
[[noreturn]] void Fatal(const char* where);

}  // namespace shim
