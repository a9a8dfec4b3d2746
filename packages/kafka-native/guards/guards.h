// Checks before the few of Confluent's methods that use a client which may not
// be there: they dereference a null pointer when called before connect(), with
// NAN as well.
#pragma once

namespace guards {

// After Confluent's classes are defined.
void Install();

}  // namespace guards
