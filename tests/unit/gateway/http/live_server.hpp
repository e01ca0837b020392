// A whole gateway for tests of the HTTP server: real engine, log and sockets (loopback, a port of the system's choice); no network behind it.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "gateway/engine/engine.hpp"
#include "gateway/http/server.hpp"
#include "gateway/json/json.hpp"
#include "tests/catch.hpp"

namespace touchgate::test {

// A blocking HTTP/1.1 client over one connection, for requests that are made byte by byte.
class Client {
public:
    explicit Client(std::uint16_t port);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    struct Answer {
        int status = 0;  // 0: the connection ended without an answer
        std::map<std::string, std::string> headers;  // names in lower case; trailers too
        std::string body;
        [[nodiscard]] Json json() const { return Json::parse(body); }
        [[nodiscard]] std::string header(const std::string& name) const {
            const auto found = headers.find(name);
            return found == headers.end() ? std::string{} : found->second;
        }
    };

    void send(std::string_view bytes);
    void end_sending();
    Answer receive(bool head_request = false);
    // Bytes as they come, until `until` stands in them or the connection ends.
    std::string receive_until(std::string_view until);
    Answer request(const std::string& method, const std::string& path, const std::string& body = {}, const std::string& more_headers = {});
    [[nodiscard]] bool is_closed();

    std::string key = "test-key-of-sixteen-bytes";

private:
    bool fill();
    int socket_ = -1;
    std::string buffer_;
};

// Answers with what the test puts in.
class FakeQueries final : public http::QueryPort {
public:
    explicit FakeQueries(const Engine*& engine) : engine_{engine} {}
    [[nodiscard]] std::uint64_t shown_sequence() const override { return shown; }
    Result<http::EventPage> events(const http::EventQuery& query) override;
    Result<std::vector<http::EventText>> touch_events(const TouchId&, LogPosition, LogPosition, const http::Visibility&) override {
        return std::vector<http::EventText>{{.sequence = 1, .type = "touch.created", .json = R"({"sequence":1,"type":"touch.created"})"}};
    }
    Result<std::string> touch(const TouchId&, const http::Visibility&) override {
        return Error{.kind = ErrorKind::not_found, .detail = "no such touch"};
    }
    Result<http::ItemPage> touches(const http::TouchQuery&) override { return http::ItemPage{.items = R"([{"id":"x"}])", .next_cursor = "next"}; }
    Result<http::ItemPage> contacts(const http::ContactQuery&) override { return http::ItemPage{}; }
    Result<http::ItemPage> timeline(const http::TimelineQuery&) override { return http::ItemPage{}; }
    Result<http::ReportText> report(const http::ReportQuery& query) override {
        return http::ReportText{.body = query.csv ? "a,b\r\n" : R"({"report":")" + query.name + "\"}", .sequence = 7};
    }
    Result<http::ItemPage> dead_letters(const std::string&, std::size_t, const std::string&) override { return http::ItemPage{}; }
    Result<std::size_t> replay_callbacks(const std::string&) override { return std::size_t{3}; }

    std::atomic<std::uint64_t> shown{0};
    std::mutex mutex;
    http::EventQuery last_events;  // guarded by mutex

private:
    const Engine*& engine_;
};

class LiveServer {
public:
    explicit LiveServer(http::HttpOptions options = {}, Limits limits = {});
    ~LiveServer();

    [[nodiscard]] std::uint16_t port() const { return server->port(); }
    [[nodiscard]] Engine& engine();
    // Stops the engine's turns (commands wait) and lets it go on.
    void hold_engine() { engine_held_ = true; }
    void release_engine() { engine_held_ = false; }

    std::unique_ptr<http::HttpServer> server;
    std::unique_ptr<FakeQueries> queries;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
    const Engine* engine_ = nullptr;
    std::atomic<bool> engine_held_{false};
    std::atomic<bool> stop_{false};
    std::thread engine_thread_;
};

}  // namespace touchgate::test
