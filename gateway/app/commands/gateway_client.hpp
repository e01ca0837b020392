// What command-line tools ask of a running gateway, over its HTTP API. Blocking, one request at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace touchgate::app {

struct GatewayAnswer {
    long status = 0;      // 0: there was no answer, see `fault`
    std::string body, fault;
};

struct GatewayRequest {
    const char* method = "GET";
    std::string url;
    std::string key;                       // API key, may be empty
    const char* content_type = "application/json";
    std::string body = {};
    std::string body_file = {};            // streamed instead of `body`
    std::function<void(std::uint64_t sent)> progress = {};
    long timeout_s = 120;                  // 0: none
};

[[nodiscard]] GatewayAnswer ask_gateway(const GatewayRequest& request);

// The key in `key_file`, else in TOUCHGATE_KEY, else none. Nothing when the file cannot be read.
[[nodiscard]] std::optional<std::string> read_api_key(const std::string& key_file);

}  // namespace touchgate::app
