#include "tests/bench/messages.hpp"

namespace touchgate::bench {

namespace {

constexpr std::uint64_t phones_from = 10'000'000, phones = 80'000'000;
constexpr const char* text = "【品牌】您的专属优惠已到账，点击查看。拒收请回复R";

std::string phone(std::uint64_t n) { return "+86138" + std::to_string(phones_from + n % phones); }

std::string percent_encoded(const std::string& raw) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : raw) {
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace

std::string touch_body(std::uint64_t n, const std::string& channel, bool told) {
    std::string body = R"({"key":"bench-)" + std::to_string(n);
    body.append(R"(","contact":{"phone":")").append(phone(n)).append(R"("},"purpose":"marketing","channels":[")").append(channel);
    body.append(R"("],)").append(told ? R"("callback":"caller",)" : "").append(R"("content":{"text":")").append(text).append("\"}}");
    return body;
}

std::string kannel_request(std::uint64_t n, bool receipts, std::uint64_t callbacks, int http_port) {
    static const std::string encoded = percent_encoded(text);
    std::string target = "/cgi-bin/sendsms?username=bench&password=bench&from=10690000&coding=2&charset=UTF-8&to=" + percent_encoded(phone(n));
    target.append("&text=").append(encoded);
    if (receipts) {
        // 1 delivered, 2 failed; 4, 8 and 16 are what became of the submit.
        target.append("&dlr-mask=").append(callbacks > 1 ? "31" : "3").append("&dlr-url=");
        target.append(percent_encoded("http://127.0.0.1:" + std::to_string(http_port) + "/callback?n=" + std::to_string(n) + "&d=%d"));
    }
    return "GET " + target + " HTTP/1.1\r\nHost: bench\r\n\r\n";
}

std::string receipt_body(std::uint64_t id) { return R"({"id":")" + std::to_string(id) + R"(","status":"DELIVRD"})"; }

std::uint64_t number_of_phone(std::uint64_t digits, std::uint64_t first) { return (digits + phones - phones_from - first % phones) % phones; }

}  // namespace touchgate::bench
