// The one message that all measurements send, and the forms that it has for the programs that take it.
#pragma once

#include <cstdint>
#include <string>

namespace touchgate::bench {

// The n-th touch, over the account or channel `channel`; `told` asks for a callback.
[[nodiscard]] std::string touch_body(std::uint64_t n, const std::string& channel, bool told);
// The same text to the same phone as a request to Kannel's sendsms. With `callbacks` Kannel is asked to GET http://127.0.0.1:http_port/callback
// for each receipt: 1 final ones, 2 also the centre's acceptance.
[[nodiscard]] std::string kannel_request(std::uint64_t n, bool receipts, std::uint64_t callbacks, int http_port);
// What the provider of account `http` reports about its message `id`.
[[nodiscard]] std::string receipt_body(std::uint64_t id);
// From the last eight digits of a phone: how many messages after `first` it came.
[[nodiscard]] std::uint64_t number_of_phone(std::uint64_t digits, std::uint64_t first);

}  // namespace touchgate::bench
