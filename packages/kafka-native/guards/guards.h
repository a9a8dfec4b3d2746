// Guards in front of those Confluent methods that don't check their client. Also
// under NAN, two of them dereference a null pointer when they are called before
// connect(), and poll() uses a client that a disconnect on another thread is
// deleting.
#pragma once

namespace guards {

// Call it after Confluent's classes are defined.
void Install();

}  // namespace guards
