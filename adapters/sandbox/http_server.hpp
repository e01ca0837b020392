// A small HTTP/1.1 server over Beast: every request becomes a value, its answer is sent when its delay is over. And the client that
// delivers callbacks.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "adapters/sandbox/http_exchange.hpp"
#include "adapters/sandbox/settings.hpp"

namespace touchgate::sandbox {

// A request to go on with another protocol (WebSocket), and who takes the connection then.
using UpgradeRequest = boost::beast::http::request<boost::beast::http::string_body>;
struct UpgradeHandler {
    std::function<std::optional<HttpReply>(const HttpRequest&)> refuse;  // the answer, or nothing: it may
    std::function<void(boost::asio::ip::tcp::socket, UpgradeRequest)> take;
};

class HttpServer {
public:
    using Handler = std::function<HttpReply(const HttpRequest&)>;
    // Throws boost::system::system_error when it cannot listen. Without `upgrade`, upgrades are requests like others.
    HttpServer(boost::asio::io_context& io, const ListenAddress& listen, Handler handler, std::optional<UpgradeHandler> upgrade = std::nullopt);
    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

private:
    void accept();
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::steady_timer accept_again_;
    std::shared_ptr<Handler> handler_;
    std::shared_ptr<std::optional<UpgradeHandler>> upgrade_;
};

// Makes the requests that simulated providers owe, at most 64 at once; the others wait.
class CallbackClient {
public:
    using Done = std::function<void(std::uint64_t id, int status, std::string_view body)>;  // status 0: no answer
    CallbackClient(boost::asio::io_context& io, Done done) : io_{io}, done_{std::make_shared<Done>(std::move(done))} {}
    void post(OutgoingRequest request);

private:
    void start_next();
    boost::asio::io_context& io_;
    std::shared_ptr<Done> done_;
    std::deque<OutgoingRequest> waiting_;
    std::size_t running_ = 0;
};

}  // namespace touchgate::sandbox
