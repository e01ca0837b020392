// The HTTP server: I/O threads with their listeners, query threads, routes.
//
//   auto server = HttpServer::start(options, engine, queries, hooks, clock);   // listening; everything but healthz answers what it can
//   (*server)->set_ready(true);                                                // readyz says 200
//   (*server)->begin_drain();                                                  // new requests 503 + Retry-After; readyz 503
//   (*server)->stop(Duration{5'000});                                          // waits for open requests, closes, joins
//
// The engine, the ports and the clock must outlive the server; the engine must still make turns while `stop` waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/clock.hpp"
#include "gateway/base/result.hpp"
#include "gateway/engine/engine.hpp"
#include "gateway/http/hook_port.hpp"
#include "gateway/http/options.hpp"
#include "gateway/http/query_port.hpp"

namespace touchgate::http {

// What is wrong with the API keys, the listen address or the certificate: pointers into the configuration.
[[nodiscard]] std::vector<Problem> problems_of(const HttpOptions& options);

class HttpServer {
public:
    // Errors: invalid_input (API keys, listen address, certificate), unavailable (the port is taken).
    static Result<std::unique_ptr<HttpServer>> start(HttpOptions options, Engine& engine, QueryPort& queries, const HookPort& hooks,
                                                     const Clock& clock);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    // "http://127.0.0.1:8080": what `serve` prints.
    [[nodiscard]] std::string url() const;

    // All callable on any thread.
    void set_ready(bool ready);
    void begin_drain();
    // Waits until no request is under way, at most `grace`, then closes everything. Long polls and event streams end at once.
    void stop(Duration grace);

private:
    struct Parts;
    explicit HttpServer(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

// The API's description (docs/openapi.yaml) as JSON.
[[nodiscard]] std::string openapi_document();

}  // namespace touchgate::http
