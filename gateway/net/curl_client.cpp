#include "gateway/net/curl_client.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/base/text.hpp"
#include "gateway/net/curl_lane.hpp"

namespace touchgate::net {

namespace asio = boost::asio;

namespace {

// One exchange under way; it and its easy handle serve later ones as well.
struct Transfer {
    CURL* easy = nullptr;
    bool prepared = false;  // what is the same for all exchanges of a client was set
    HttpExchange exchange;
    CurlLane* lane = nullptr;
    HttpListener* listener = nullptr;
    curl_slist* headers = nullptr;
    channel::HttpResponse response;
    std::size_t response_bytes_max = 0;
    bool asked = false;        // on_first_byte was called
    bool allowed = false;      // and said yes
    bool repeat = false;       // libcurl wanted to make the request a second time
    bool headers_end = false;  // of the final response
    std::array<char, CURL_ERROR_SIZE> error{};
};

// ---- libcurl's callbacks.

// A request that was allowed needs no new connection: libcurl wants to repeat it.
curl_socket_t on_open_socket(void* transfer_pointer, curlsocktype, curl_sockaddr* address) {
    auto& transfer = *static_cast<Transfer*>(transfer_pointer);
    if (transfer.allowed) {
        transfer.repeat = true;
        return CURL_SOCKET_BAD;
    }
    return transfer.lane->open_socket(*address);
}

int on_first_byte(void* transfer_pointer, char*, char*, int, int) {
    auto& transfer = *static_cast<Transfer*>(transfer_pointer);
    if (transfer.asked) {
        transfer.repeat = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer.asked = true;
    transfer.allowed = transfer.listener->on_first_byte(transfer.exchange.id);
    return transfer.allowed ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

std::size_t on_header(char* line_begin, std::size_t size, std::size_t count, void* transfer_pointer) {
    auto& transfer = *static_cast<Transfer*>(transfer_pointer);
    const std::string_view line{line_begin, size * count};
    const auto text = trim(line);
    if (line.starts_with("HTTP/")) {  // also after an interim response: start again
        transfer.response.headers.clear();
        transfer.headers_end = false;
    } else if (text.empty()) {
        transfer.headers_end = true;
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos && transfer.response.headers.size() < 200) {
        transfer.response.headers.emplace_back(to_lower_ascii(trim(text.substr(0, colon))), std::string{trim(text.substr(colon + 1))});
    }
    return line.size();
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer_pointer) {
    auto& transfer = *static_cast<Transfer*>(transfer_pointer);
    if (transfer.response.body.size() + size * count > transfer.response_bytes_max) return 0;
    transfer.response.body.append(bytes, size * count);
    return size * count;
}

// In words for an operator; never the URL, which may hold secrets.
std::string explain(CURLcode code, const Transfer& transfer) {
    const std::string said{transfer.error.data()};
    const auto with = [&](std::string text) { return said.empty() ? text : text + ": " + said; };
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY: return with("cannot find the host (wrong name, or no DNS?)");
        case CURLE_COULDNT_CONNECT: return with("cannot connect (wrong port, or nothing listens there?)");
        case CURLE_OPERATION_TIMEDOUT: return with("no answer in time (wrong host, or a firewall between?)");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR: return with("TLS: the certificate is not accepted");
        case CURLE_SSL_CONNECT_ERROR: return with("TLS: no handshake (is this port TLS at all?)");
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL: return "the address of the request is not an http(s) URL";
        case CURLE_WRITE_ERROR: return "the answer is too long";
        default: return with(curl_easy_strerror(code));
    }
}

bool has_line_break(std::string_view text) { return text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos; }

void start_libcurl() {
    // Once for the process; libcurl of Debian 12 makes this call safe on any thread.
    static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)done;
}

}  // namespace

class CurlClient::State {
public:
    State(asio::io_context& io, HttpSettings settings, HttpListener& listener) : io_{io}, settings_{std::move(settings)}, listener_{listener} {
        start_libcurl();
    }

    ~State() {
        for (auto& [id, transfer] : active_) {
            curl_multi_remove_handle(transfer->lane->multi(), transfer->easy);
            dispose(*transfer);
        }
        for (auto& transfer : idle_) dispose(*transfer);
    }

    void start(HttpExchange exchange) {
        const auto id = exchange.id;
        auto transfer = take_transfer();
        transfer->exchange = std::move(exchange);
        auto& lane = free_lane();
        transfer->lane = &lane;
        if (!set_up(*transfer)) {
            retire(std::move(transfer), false);
            refuse(id, "the request's method or headers are not valid");
            return;
        }
        if (curl_multi_add_handle(lane.multi(), transfer->easy) != CURLM_OK) {
            retire(std::move(transfer), false);
            refuse(id, "out of resources");
            return;
        }
        ++lane.active;
        active_.emplace(id, std::move(transfer));
    }

    void cancel(ExchangeId id) {
        const auto found = active_.find(id);
        if (found != active_.end()) retire(finish(found), false);
    }

    [[nodiscard]] std::size_t transfers() const { return active_.size(); }
    [[nodiscard]] std::size_t lanes() const { return lanes_.size(); }
    std::weak_ptr<State> self;

private:
    using Active = std::unordered_map<ExchangeId, std::unique_ptr<Transfer>>;

    static void dispose(Transfer& transfer) {
        curl_slist_free_all(transfer.headers);
        curl_easy_cleanup(transfer.easy);
    }

    void refuse(ExchangeId id, std::string reason) {
        asio::post(io_, [weak = self, id, reason = std::move(reason)] {
            const auto state = weak.lock();
            if (!state) return;
            state->listener_.on_failure(id, false, reason);
            state->listener_.on_turn_end();
        });
    }

    std::unique_ptr<Transfer> take_transfer() {
        if (idle_.empty()) {
            auto made = std::make_unique<Transfer>();
            made->easy = curl_easy_init();
            return made;
        }
        auto taken = std::move(idle_.back());
        idle_.pop_back();
        return taken;
    }

    CurlLane& free_lane() {
        for (auto& lane : lanes_)
            if (lane->active < lane_transfers_max) return *lane;
        return *lanes_.emplace_back(
            std::make_unique<CurlLane>(io_, lane_transfers_max, [this](CurlLane& driven, curl_socket_t socket, int events) { drive(driven, socket, events); }));
    }

    bool set_up(Transfer& transfer) {
        const auto& request = transfer.exchange.request;
        if (transfer.easy == nullptr || has_line_break(request.method) || has_line_break(request.url)) return false;
        if (!std::exchange(transfer.prepared, true)) prepare(transfer);
        auto* const easy = transfer.easy;
        curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(settings_.connect_timeout, transfer.exchange.timeout).count()));
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer.lane);  // a connection outlives its first request
        if (transfer.exchange.connect_only) {
            curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
            return true;
        }
        const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
        if (has_body) {
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());  // as one piece with the headers where it is short
        } else if (request.method == "HEAD") {
            curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        } else {
            curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        }
        const bool usual = request.method == (has_body ? "POST" : "GET") || request.method == "HEAD";
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, usual ? nullptr : request.method.c_str());
        return set_headers(transfer, has_body);
    }

    // What no exchange changes.
    void prepare(Transfer& transfer) {
        auto* const easy = transfer.easy;
        transfer.listener = &listener_;
        transfer.response_bytes_max = settings_.response_bytes_max;
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error.data());
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(settings_.idle_connection_max.count() / 1'000));
        if (!settings_.tls_verify) {
            curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
            curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
        }
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
        if (!settings_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
        if (settings_.proxy) curl_easy_setopt(easy, CURLOPT_PROXY, settings_.proxy->c_str());
        const auto version = settings_.version == HttpSettings::Version::http_2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{version});
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlLane::close_socket);
        curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_first_byte);
        curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
        curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "touchgate");
    }

    static bool set_headers(Transfer& transfer, bool has_body) {
        bool has_type = false;
        const auto add = [&](const std::string& line) {
            if (auto* const longer = curl_slist_append(transfer.headers, line.c_str())) transfer.headers = longer;
        };
        for (const auto& [name, value] : transfer.exchange.request.headers) {
            if (name.empty() || has_line_break(name) || has_line_break(value) || name.find(':') != std::string::npos) return false;
            const auto lower = to_lower_ascii(name);
            if (lower == "content-length" || lower == "transfer-encoding" || lower == "connection") continue;  // libcurl's own business
            has_type = has_type || lower == "content-type";
            add(value.empty() ? name + ';' : name + ": " + value);
        }
        if (has_body && !has_type) add("Content-Type:");  // no type rather than libcurl's guess
        add("Expect:");                                   // no waiting for "100 Continue"
        curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, transfer.headers);
        return true;
    }

    // Takes it out of its lane; the caller gives it to `retire` in the end.
    std::unique_ptr<Transfer> finish(Active::iterator found) {
        auto transfer = std::move(found->second);
        active_.erase(found);
        --transfer->lane->active;
        curl_multi_remove_handle(transfer->lane->multi(), transfer->easy);
        return transfer;
    }

    // For a later exchange. A handle that failed is not used again: libcurl keeps notes in it for a repetition (such as "rewind before sending").
    void retire(std::unique_ptr<Transfer> transfer, bool went_well) {
        if (!went_well || transfer->exchange.connect_only || idle_.size() >= lane_transfers_max) return dispose(*transfer);
        curl_slist_free_all(std::exchange(transfer->headers, nullptr));
        transfer->exchange = {};
        transfer->response = {};
        transfer->lane = nullptr;
        transfer->asked = transfer->allowed = transfer->repeat = transfer->headers_end = false;
        transfer->error[0] = '\0';
        idle_.push_back(std::move(transfer));
    }

    void drive(CurlLane& lane, curl_socket_t socket, int events) {
        const auto alive = self.lock();
        int running = 0;
        curl_multi_socket_action(lane.multi(), socket, events, &running);
        int left = 0;
        while (const auto* const message = curl_multi_info_read(lane.multi(), &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const auto code = message->data.result;
            Transfer* done = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &done);
            long status = 0;
            curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            const auto found = active_.find(done->exchange.id);
            if (found == active_.end()) continue;
            done->response.status = static_cast<int>(status);
            auto transfer = finish(found);
            report(*transfer, code);
            retire(std::move(transfer), code == CURLE_OK);
        }
        listener_.on_turn_end();
    }

    void report(Transfer& transfer, CURLcode code) {
        const auto id = transfer.exchange.id;
        if (transfer.asked && !transfer.allowed) return;  // abandoned before the first byte, as asked
        if (transfer.repeat) {
            listener_.on_failure(id, true, "the connection ended before the answer came");
        } else if (code != CURLE_OK) {
            listener_.on_failure(id, transfer.allowed, explain(code, transfer));
        } else if (!transfer.exchange.connect_only && !transfer.headers_end) {
            listener_.on_failure(id, transfer.allowed, "the answer broke off in its headers");  // libcurl takes that for a whole answer
        } else {
            listener_.on_response(id, std::move(transfer.response));
        }
    }

    asio::io_context& io_;
    HttpSettings settings_;
    HttpListener& listener_;
    std::vector<std::unique_ptr<CurlLane>> lanes_;
    Active active_;
    std::vector<std::unique_ptr<Transfer>> idle_;
};

CurlClient::CurlClient(asio::io_context& io, HttpSettings settings, HttpListener& listener)
    : state_{std::make_shared<State>(io, std::move(settings), listener)} {
    state_->self = state_;
}

CurlClient::~CurlClient() = default;

void CurlClient::start(HttpExchange exchange) { state_->start(std::move(exchange)); }
void CurlClient::cancel(ExchangeId id) { state_->cancel(id); }
std::size_t CurlClient::transfers() const { return state_->transfers(); }
std::size_t CurlClient::lanes() const { return state_->lanes(); }

}  // namespace touchgate::net
