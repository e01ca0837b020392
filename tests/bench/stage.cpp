#include "tests/bench/stage.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "adapters/wechat/callback_crypto.hpp"
#include "tests/bench/http_sink.hpp"
#include "tests/bench/load_client.hpp"
#include "tests/bench/messages.hpp"
#include "tests/bench/smpp_blast.hpp"
#include "tests/bench/smpp_sink.hpp"

namespace touchgate::bench {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20s;  // without progress a run is over
constexpr std::uint64_t lines_per_request = 500;

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }
double seconds_between(std::int64_t from, std::int64_t to) { return static_cast<double>(to - from) / 1e9; }
double rate(std::uint64_t count, double seconds) { return seconds > 0 ? static_cast<double>(count) / seconds : 0; }

class Stage {
public:
    void run() {
        std::printf(R"({"smpp":%d,"http":%d})"
                    "\n",
                    smpp_.port(), http_.port());
        std::fflush(stdout);
        std::string line;
        while (std::getline(std::cin, line)) {
            std::istringstream words{line};
            std::string what;
            words >> what;
            try {
                if (what == "receipts") receipts(words);
                else if (what == "blast") blast(words);
                else if (what == "echo") echo(words);
                else if (what == "load") load(words);
                else if (what == "send") send(words);
                else if (what == "hooks") hooks(words);
                else if (what == "wechat") wechat(words);
                else throw std::runtime_error{"unknown: " + line};
            } catch (const std::exception& fault) { std::printf("{\"error\":\"%s\"}\n", fault.what()); }
            std::fflush(stdout);
        }
    }

private:
    void receipts(std::istream& words) {
        std::string state;
        words >> state;
        receipts_ = state == "on";
        smpp_.set_receipts(receipts_);
        std::printf("{}\n");
    }

    void blast(std::istream& words) {
        std::uint64_t count = 0;
        int window = 0;
        words >> count >> window;
        std::printf("{\"per_second\":%.0f}\n", blast_smpp(smpp_.port(), count, window, receipts_));
    }

    void echo(std::istream& words) {
        Load load{.port = http_.port(), .expected_status = 202, .request = [](std::uint64_t n) {
                      return post_request("/", "none", "application/json", touch_body(n, "sms", false));
                  }};
        words >> load.connections >> load.seconds;
        const auto result = run_load(load);
        std::printf(R"({"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f})"
                    "\n",
                    rate(result.answers, result.seconds), result.p50_ms, result.p99_ms);
    }

    // Waits until `done` gives `wanted`, or nothing has moved for a while.
    template <class Count>
    bool wait_for(std::uint64_t wanted, const Count& done) {
        auto last = done();
        auto moved = std::chrono::steady_clock::now();
        while (last < wanted) {
            std::this_thread::sleep_for(1ms);
            const auto current = done();
            if (current != last) {
                moved = std::chrono::steady_clock::now();
                last = current;
            } else if (std::chrono::steady_clock::now() - moved > patience) {
                return false;
            }
        }
        return true;
    }

    void load(std::istream& words) {
        std::string kind, key;
        Load load;
        std::uint64_t count = 0, callbacks = 0;
        words >> kind >> load.port >> key >> count >> load.connections >> callbacks;
        const auto first = next_;
        next_ += count;
        const bool bulk = kind == "bulk";
        const auto lines = bulk ? lines_per_request : 1;
        load.count = (count + lines - 1) / lines;
        std::vector<std::int64_t> started(load.count);
        load.expected_status = bulk ? 200 : 202;
        load.request = [&](std::uint64_t n) {
            started[n] = now_ns();
            if (kind == "kannel") return kannel_request(first + n, receipts_, callbacks, http_.port());
            if (!bulk) return post_request("/v1/touches", key, "application/json", touch_body(first + n, "sms", callbacks > 0));
            std::string body;
            for (auto i = n * lines; i < std::min(count, (n + 1) * lines); ++i) body.append(touch_body(first + i, "sms", callbacks > 0)).append("\n");
            return post_request("/v1/touches/bulk", key, "application/x-ndjson", body);
        };
        smpp_.forget();
        http_.forget();
        const auto begun = now_ns();
        const auto result = run_load(load);
        const bool submitted = wait_for(count, [&] { return smpp_.counts().submits; });
        const bool reported = !receipts_ || wait_for(count, [&] { return smpp_.counts().receipts_answered; });
        const bool told = wait_for(count * callbacks, [&] { return http_.callbacks(); });
        const auto told_ns = now_ns();
        const auto counts = smpp_.counts();

        std::vector<double> delays;
        for (const auto& arrival : smpp_.take_arrivals()) {
            const auto index = number_of_phone(arrival.number, first);
            if (index < count) delays.push_back(seconds_between(started[index / lines], arrival.at_ns) * 1000);
        }
        std::sort(delays.begin(), delays.end());
        const auto quantile = [&](std::size_t percent) {
            return delays.empty() ? 0.0 : delays[std::min(delays.size() - 1, delays.size() * percent / 100)];
        };
        std::printf(
            R"({"begun_ns":%lld,"complete":%s,"count":%llu,"submitted":%llu,"wrong":%llu,"broken":%llu,"accepted_per_second":%.0f,"submitted_per_second":%.0f,)"
            R"("reported_per_second":%.0f,"told_per_second":%.0f,"http_p50_ms":%.2f,"http_p99_ms":%.2f,"to_submit_p50_ms":%.1f,"to_submit_p99_ms":%.1f})"
            "\n",
            static_cast<long long>(begun), submitted && reported && told ? "true" : "false", static_cast<unsigned long long>(count),
            static_cast<unsigned long long>(counts.submits), static_cast<unsigned long long>(result.wrong),
            static_cast<unsigned long long>(result.broken), rate(count, result.seconds),
            rate(counts.submits, seconds_between(begun, counts.last_submit_ns)),
            receipts_ ? rate(counts.receipts_answered, seconds_between(begun, counts.last_receipt_ns)) : 0.0,
            callbacks > 0 ? rate(count, seconds_between(begun, told_ns)) : 0.0, result.p50_ms, result.p99_ms, quantile(50), quantile(99));
    }

    void send(std::istream& words) {
        std::string key;
        Load load;
        words >> load.port >> key >> load.count;
        load.connections = 64;
        load.expected_status = 202;
        const auto first = next_;
        next_ += load.count;
        load.request = [&](std::uint64_t n) { return post_request("/v1/touches", key, "application/json", touch_body(first + n, "http", false)); };
        const auto wanted = http_.sent() + load.count;
        const auto result = run_load(load);
        const bool complete = wait_for(wanted, [&] { return http_.sent(); });
        std::printf("{\"complete\":%s,\"wrong\":%llu}\n", complete ? "true" : "false", static_cast<unsigned long long>(result.wrong));
    }

    void hooks(std::istream& words) {
        std::string path;
        std::uint64_t first = 0;
        Load load;
        words >> load.port >> path >> first >> load.count >> load.connections;
        load.request = [&](std::uint64_t n) { return post_request(path, "none", "application/json", receipt_body(first + n)); };
        const auto result = run_load(load);
        std::printf(R"({"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"wrong":%llu})"
                    "\n",
                    rate(result.answers, result.seconds), result.p50_ms, result.p99_ms, static_cast<unsigned long long>(result.wrong));
    }

    // Made before the clock runs: what is measured is the receiver.
    void wechat(std::istream& words) {
        namespace platform = adapters::wechat;
        constexpr std::uint64_t messages_each = 10;
        std::string path, app, token, aes_key;
        std::uint64_t first = 0;
        Load load;
        words >> load.port >> path >> first >> load.count >> load.connections >> app >> token >> aes_key;
        const auto key = platform::read_aes_key(aes_key);
        if (!key) throw std::runtime_error{"not an EncodingAESKey"};
        const auto now = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
        std::vector<std::string> requests;
        requests.reserve(load.count);
        for (std::uint64_t n = 0; n < load.count; ++n) {
            const auto number = std::to_string(first + n);
            const auto follower = std::to_string(n % std::max<std::uint64_t>(1, load.count / messages_each));
            const auto message = "<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><FromUserName><![CDATA[oBench" + follower + "]]></FromUserName><CreateTime>" + now +
                                 "</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[Is this still on sale?]]></Content><MsgId>" + number + "</MsgId></xml>";
            std::array<std::uint8_t, 16> random{};
            for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>('a' + (n * 31 + i * 7) % 26);
            const auto encrypted = platform::encrypt_callback(*key, app, message, random);
            const auto parts = std::to_array<std::string_view>({token, now, number, encrypted});
            const auto plain = std::to_array<std::string_view>({token, now, number});
            const auto query = "?signature=" + platform::callback_signature(plain) + "&timestamp=" + now + "&nonce=" + number +
                               "&encrypt_type=aes&msg_signature=" + platform::callback_signature(parts);
            requests.push_back(post_request(path + query, "none", "text/xml",
                                            "<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><Encrypt><![CDATA[" + encrypted + "]]></Encrypt></xml>"));
        }
        load.request = [&](std::uint64_t n) { return requests[n]; };
        const auto result = run_load(load);
        std::printf(R"({"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"wrong":%llu})"
                    "\n",
                    rate(result.answers, result.seconds), result.p50_ms, result.p99_ms, static_cast<unsigned long long>(result.wrong));
    }

    SmppSink smpp_;
    HttpSink http_;
    bool receipts_ = false;
    std::uint64_t next_ = 0;  // number of the next message: phones and keys are never used twice
};

}  // namespace

void run_stage() { Stage{}.run(); }

}  // namespace touchgate::bench
