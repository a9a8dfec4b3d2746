// A topic's settings, which Confluent's client has no call for.
//
//   addon.topicConfig(client, topic, timeoutMs, (code, entries) => …)
//
// `client` is the native object of a connected client (its `getClient()`), which
// must stay connected until the callback. `code` is librdkafka's error code, 0
// for none; `entries` is [name, value, name, value, …].
#pragma once

#include <nan.h>

namespace admin {

void Init(v8::Local<v8::Object> exports);

}  // namespace admin
