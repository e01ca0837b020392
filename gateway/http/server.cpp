#include "gateway/http/server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <charconv>
#include <thread>

#include "gateway/http/agent_hub.hpp"
#include "gateway/http/endpoints/endpoints.hpp"
#include "gateway/http/io_thread.hpp"

namespace touchgate::http {

namespace {

namespace asio = boost::asio;

Result<asio::ip::tcp::endpoint> resolve(const std::string& listen) {
    const auto bad = [&](const std::string& why) { return invalid("/http/listen", "must be host:port such as \"127.0.0.1:8080\": " + why); };
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) return bad("there is no port");
    auto host = listen.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto digits = listen.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return bad("the port is no number up to 65535");
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(host, failed);
    if (!failed) return asio::ip::tcp::endpoint{address, port};
    asio::io_context context{1};
    asio::ip::tcp::resolver resolver{context};
    const auto found = resolver.resolve(host, digits, failed);
    if (failed || found.empty()) return bad("the host is not known");
    return found.begin()->endpoint();
}

Result<std::shared_ptr<asio::ssl::context>> make_tls(const HttpOptions& options) {
    if (options.tls_certificate.empty() && options.tls_key.empty()) return std::shared_ptr<asio::ssl::context>{};
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    boost::system::error_code error;
    context->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 |
                             asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                         error);
    if (context->use_certificate_chain_file(options.tls_certificate, error))
        return invalid("/http/tls/certificate", "cannot be used: " + error.message());
    if (context->use_private_key_file(options.tls_key, asio::ssl::context::pem, error))
        return invalid("/http/tls/key", "cannot be used: " + error.message());
    return context;
}

}  // namespace

std::vector<Problem> problems_of(const HttpOptions& options) {
    std::vector<Problem> problems;
    const auto add = [&](const Error& error) { problems.insert(problems.end(), error.problems.begin(), error.problems.end()); };
    if (const auto keys = ApiKeys::make(options.api_keys); !keys) add(keys.error());
    if (const auto endpoint = resolve(options.listen); !endpoint) add(endpoint.error());
    if (const auto tls = make_tls(options); !tls) add(tls.error());
    return problems;
}

struct HttpServer::Parts {
    std::shared_ptr<Services> services;
    std::vector<std::shared_ptr<IoThread>> threads;
    std::unique_ptr<asio::thread_pool> query_threads;
    std::shared_ptr<std::atomic<std::size_t>> queries_waiting = std::make_shared<std::atomic<std::size_t>>(0);
    std::uint16_t port = 0;
    std::string host;
    bool tls = false;
    bool stopped = false;
};

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_{std::move(parts)} {}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpOptions options, Engine& engine, QueryPort& queries, const HookPort& hooks,
                                                      const Clock& clock) {
    auto keys = ApiKeys::make(options.api_keys);
    if (!keys) return keys.error();
    auto endpoint = resolve(options.listen);
    if (!endpoint) return endpoint.error();
    auto tls = make_tls(options);
    if (!tls) return tls.error();

    auto parts = std::make_unique<Parts>();
    const auto io_threads = std::max(1, options.threads);
    const auto query_threads = static_cast<std::size_t>(std::max(1, options.query_threads));
    parts->tls = *tls != nullptr;
    parts->services = std::make_shared<Services>(std::move(options), engine, queries, hooks, clock, *keys);
    parts->services->openapi = openapi_document();
    add_all_endpoints(parts->services->router);
    parts->query_threads = std::make_unique<asio::thread_pool>(query_threads);
    parts->services->run_query = [pool = parts->query_threads.get(), waiting = parts->queries_waiting](absl::AnyInvocable<void()> task) {
        constexpr std::size_t waiting_max = 2'000;
        if (waiting->fetch_add(1) >= waiting_max) {
            waiting->fetch_sub(1);
            return false;
        }
        asio::post(*pool, [waiting, task = std::move(task)]() mutable {
            task();
            waiting->fetch_sub(1);
        });
        return true;
    };
    auto& shared = *parts->services;
    shared.agents = std::make_shared<AgentHub>(AgentHub::Parts{
        .options = shared.options.agents,
        .desk = desk_of(engine),
        .clock = clock,
        .phones = shared.phones,
        .run_query = [&shared](absl::AnyInvocable<void(QueryPort&)> work) { return shared.run_query([&shared, work = std::move(work)]() mutable { work(shared.queries); }); },
        .durable_sequence = [&engine] { return engine.durable_head().sequence; },
    });
    for (int i = 0; i < io_threads; ++i) {
        auto thread = std::make_shared<IoThread>(parts->services, *tls);
        const auto port = thread->listen(*endpoint, i > 0);
        if (!port) {
            auto error = port.error();
            error.detail += " (" + parts->services->options.listen + ")";
            error.problems.push_back({"/http/listen", "cannot listen at " + parts->services->options.listen});
            return error;
        }
        endpoint->port(*port);  // port 0: all further listeners share the one that the first was given
        parts->threads.push_back(std::move(thread));
    }
    parts->port = endpoint->port();
    const auto address = endpoint->address();
    parts->host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
    for (const auto& thread : parts->threads) thread->start();
    return std::unique_ptr<HttpServer>{new HttpServer{std::move(parts)}};
}

HttpServer::~HttpServer() { stop(Duration{0}); }

std::uint16_t HttpServer::port() const { return parts_->port; }
std::string HttpServer::url() const { return (parts_->tls ? "https://" : "http://") + parts_->host + ":" + std::to_string(parts_->port); }
void HttpServer::set_ready(bool ready) { parts_->services->ready = ready; }
void HttpServer::begin_drain() { parts_->services->draining = true; }

void HttpServer::stop(Duration grace) {
    if (parts_->stopped) return;
    parts_->stopped = true;
    auto& services = *parts_->services;
    services.draining = true;
    const auto now = [&] { return std::chrono::steady_clock::time_point{services.clock.monotonic_now()}; };
    const auto deadline = now() + grace;
    while (services.counters.exchanges_open.load() > 0 && now() < deadline) std::this_thread::sleep_for(Duration{2});
    // What is answered by now still has to be written.
    constexpr Duration for_writing{1'000};
    for (const auto& thread : parts_->threads) thread->stop(now() + (grace.count() > 0 ? for_writing : Duration{0}));
    for (const auto& thread : parts_->threads) thread->join();
    parts_->query_threads->join();
}

}  // namespace touchgate::http
