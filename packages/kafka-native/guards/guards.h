// Checks before the few of Confluent's methods that use a client which may not
// be there. With NAN as well, two of them dereference a null pointer when they
// are called before connect(), and poll() uses a client that a disconnect on
// another thread is deleting.
#pragma once

namespace guards {

// After Confluent's classes are defined.
void Install();

}  // namespace guards
