// The hot intake: no bytes crash it, and what the quick reader takes the strict one reads to an equal touch.
#include <cstdlib>
#include <string>
#include <vector>

#include "gateway/http/touch_intake.hpp"

std::vector<std::string> fuzz_seeds();
std::vector<std::string> fuzz_seeds() {
    return {R"({"key":"k","contact":{"id":"c"},"purpose":"marketing","channels":["sms"],"content":{"text":"hi"},"priority":7})",
            R"({"contact":{"phone":"+8613800138000"},"purpose":"p","template":"t","variables":{"a":"b","n":1.5,"t":true},"metadata":{"o":17}})",
            R"({"contact":{"phone":"138 0013 8000"},"purpose":"p","content":{"template_code":"S","params":{"z":"1","a":"2"}},"not_before":"2026-11-23T02:00:00Z"})"};
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace touchgate::http;
    static const PhoneNumbers phones{"CN"};
    static TouchIntake intake{phones, touchgate::crypto::Key{1}};
    std::string text{reinterpret_cast<const char*>(data), size};
    text.reserve(size + TouchIntake::padding_bytes);
    const auto strict = intake.parse_strictly(text);
    ParsedTouch quick;
    if (!intake.parse_quickly(text, quick)) return 0;
    if (strict.error || strict.request.body_hash != quick.request.body_hash) std::abort();
    return 0;
}
