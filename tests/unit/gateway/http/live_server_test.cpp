// The parts of live_server.hpp.
#include "tests/unit/gateway/http/live_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "gateway/base/text.hpp"

namespace touchgate::test {

Client::Client(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval timeout{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

Client::~Client() { ::close(socket_); }

void Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void Client::end_sending() { ::shutdown(socket_, SHUT_WR); }

bool Client::fill() {
    char bytes[65'536];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
}

bool Client::is_closed() { return buffer_.empty() && !fill(); }

std::string Client::receive_until(std::string_view until) {
    for (;;) {
        if (const auto at = buffer_.find(until); at != std::string::npos) {
            auto taken = buffer_.substr(0, at + until.size());
            buffer_.erase(0, at + until.size());
            return taken;
        }
        if (!fill()) return std::exchange(buffer_, {});
    }
}

Client::Answer Client::receive(bool head_request) {
    Answer answer;
    const auto head = receive_until("\r\n\r\n");
    if (head.size() < 12) return answer;
    answer.status = std::stoi(head.substr(9, 3));
    const auto take_headers = [&](std::string_view lines) {
        for (const auto line : split(lines, '\n'))
            if (const auto colon = line.find(": "); colon != std::string_view::npos)
                answer.headers[to_lower_ascii(line.substr(0, colon))] = std::string{trim(line.substr(colon + 2))};
    };
    take_headers(head);
    if (head_request || answer.status == 100 || answer.status == 204) return answer;
    if (answer.header("transfer-encoding") == "chunked") {
        for (;;) {
            const auto size = std::stoul(receive_until("\r\n"), nullptr, 16);
            if (size == 0) break;
            while (buffer_.size() < size + 2 && fill()) {}
            answer.body += buffer_.substr(0, size);
            buffer_.erase(0, size + 2);
        }
        for (auto line = receive_until("\r\n"); line.size() > 2; line = receive_until("\r\n")) take_headers(line);
        return answer;
    }
    const auto length = answer.header("content-length").empty() ? 0 : std::stoul(answer.header("content-length"));
    while (buffer_.size() < length && fill()) {}
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return answer;
}

Client::Answer Client::request(const std::string& method, const std::string& path, const std::string& body, const std::string& more_headers) {
    std::string bytes = method + " " + path + " HTTP/1.1\r\nHost: test\r\n";
    if (!key.empty()) bytes += "Authorization: Bearer " + key + "\r\n";
    if (!body.empty() && more_headers.find("Content-Type") == std::string::npos) bytes += "Content-Type: application/json\r\n";
    bytes += more_headers;
    if (!body.empty() || method == "POST" || method == "PUT") bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send(bytes + "\r\n" + body);
    return receive(method == "HEAD");
}

Result<http::EventPage> FakeQueries::events(const http::EventQuery& query) {
    const std::scoped_lock lock{mutex};
    last_events = query;
    http::EventPage page;
    page.last_sequence = engine_->durable_head().sequence;
    page.scanned_to = page.last_sequence;
    for (auto n = query.after + 1; n <= page.last_sequence && page.items.size() < query.limit; ++n)
        page.items.push_back({.sequence = n, .type = "touch.created", .json = "{\"sequence\":" + std::to_string(n) + "}"});
    if (page.items.size() == query.limit) page.scanned_to = page.items.back().sequence;
    return page;
}

namespace {

// Takes every order and never says what became of it.
class SilentTransport final : public Transport {
public:
    void hand_over(std::vector<AttemptOrder>) override {}
    void revoke(std::vector<channel::AttemptRef>) override {}
    void acknowledge(AckTicket, bool) override {}
    void reconcile(std::vector<ReconcileOrder>) override {}
};

class NoHooks final : public http::HookPort {
public:
    [[nodiscard]] std::optional<http::HookAccount> find(std::string_view) const override { return std::nullopt; }
};

class AnyPhone final : public PhoneFacts {
public:
    [[nodiscard]] const PhoneFact& of(std::string_view) const override { return fact_; }

private:
    PhoneFact fact_{.region = "CN", .carrier = "cmcc", .zones = {"Asia/Shanghai"}};
};

EngineSettings small_settings(const std::string& data_dir, const Limits& limits) {
    EngineSettings settings;
    settings.data_dir = data_dir;
    settings.policy_document =
        R"({"name":"open","default_channels":{"*":["sms"]},"rules":[{"name":"cap","kind":"cap","when":{"purposes":["marketing"]},"max":1,"per":"P1D","by":["contact"]}]})";
    settings.policy_source = "open.json";
    settings.include = [](std::string_view) -> Result<Json> { return Error{.kind = ErrorKind::not_found, .detail = "no other policies"}; };
    settings.limits = limits;
    settings.phones = std::make_shared<AnyPhone>();
    settings.callbacks = {"scheduler"};
    AccountSettings account;
    account.name = "sms-main";
    account.adapter = "smpp";
    account.capabilities.channel = "sms";
    settings.accounts.push_back(account);
    return settings;
}

std::string make_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "touchgate-http-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    return pattern;
}

}  // namespace

struct LiveServer::Parts {
    std::string folder = make_folder();
    std::unique_ptr<Disk> disk = make_real_disk();
    LogRecovery recovery;
    std::unique_ptr<FileLog> log;
    std::unique_ptr<KeyStore> keys;
    SystemClock clock;
    Random random{42};
    SilentTransport transport;
    NoHooks hooks;
    std::unique_ptr<Engine> engine;
    ~Parts() {
        engine.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
};

LiveServer::LiveServer(http::HttpOptions options, Limits limits) : parts_{std::make_unique<Parts>()} {
    auto& parts = *parts_;
    auto log = FileLog::open(*parts.disk, {.data_dir = parts.folder}, LogHead{}, 0, parts.recovery);
    REQUIRE(log);
    parts.log = std::move(*log);
    auto keys = KeyStore::open(*parts.disk, parts.folder, crypto::Key{9});
    REQUIRE(keys);
    parts.keys = std::move(*keys);
    auto engine = Engine::start({.disk = *parts.disk,
                                 .log = *parts.log,
                                 .reader = *parts.log,
                                 .keys = *parts.keys,
                                 .clock = parts.clock,
                                 .random = parts.random,
                                 .transport = parts.transport},
                                small_settings(parts.folder, limits), std::nullopt);
    if (!engine) FAIL(engine.error().detail);
    parts.engine = std::move(*engine);
    engine_ = parts.engine.get();
    queries = std::make_unique<FakeQueries>(engine_);
    parts.engine->on_durable([this](std::uint64_t sequence) { queries->shown = sequence; });
    engine_thread_ = std::thread{[this] {
        while (!stop_) {
            if (engine_held_) {
                std::this_thread::yield();
                continue;
            }
            parts_->engine->wait_for_work();
            if (engine_held_) continue;
            if (!parts_->engine->turn()) std::abort();
        }
    }};
    options.listen = "127.0.0.1:0";
    options.intake_queue = limits.intake_queue;
    if (options.api_keys.empty()) {
        options.api_keys = {{.name = "all", .key = "test-key-of-sixteen-bytes",
                             .scopes = {"touches", "contacts", "campaigns", "agents", "leads", "reports", "admin"}},
                            {.name = "east", .key = "east-key-of-sixteen-bytes", .scopes = {"touches@hq/east", "contacts@hq/east"}},
                            {.name = "slow", .key = "slow-key-of-sixteen-bytes", .scopes = {"touches"}, .rate = "2/hour"}};
    }
    auto started = http::HttpServer::start(std::move(options), *parts.engine, *queries, parts.hooks, parts.clock);
    if (!started) FAIL(started.error().detail);
    server = std::move(*started);
    server->set_ready(true);
}

Engine& LiveServer::engine() { return *parts_->engine; }

LiveServer::~LiveServer() {
    engine_held_ = false;
    server->stop(Duration{1'000});
    server.reset();
    stop_ = true;
    parts_->engine->ask_stop();
    engine_thread_.join();
}

}  // namespace touchgate::test
