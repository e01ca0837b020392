// The hot intake: the bytes of a touch → TouchRequest. Pure; one object per thread, for it keeps its parser's buffers.
//
// Two readers of the same grammar:
//   quick  simdjson on-demand, one pass, for touches as they are usually sent; it gives up on anything else
//   strict nlohmann, for the rest: it names every problem with its pointer, and takes the rare shapes of `content`
// What the quick reader takes, the strict one reads to an equal request with an equal body hash (a test and a fuzz target compare them).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/engine/requests.hpp"
#include "gateway/http/phone_numbers.hpp"

namespace touchgate::http {

struct ParsedTouch {
    TouchRequest request;             // when there is an error: the fields that could be read
    std::optional<Instant> at = {};   // of a decision: "pretend now"
    std::optional<Error> error = {};  // malformed, or invalid_input with all problems of form
};

// What is being read: a decision is a touch that may also carry `at` and may lack `template` and `content`.
enum class IntakeKind : std::uint8_t { touch, decision };

class TouchIntake {
public:
    // The reader looks at most this far beyond the end of its bytes: they must lie in the same allocation.
    static constexpr std::size_t padding_bytes = 64;

    // `body_hash_key` keys the hash by which bodies of equal idempotency keys are compared; it must be the same after a restart.
    TouchIntake(const PhoneNumbers& phones, const crypto::Key& body_hash_key);
    ~TouchIntake();
    TouchIntake(const TouchIntake&) = delete;
    TouchIntake& operator=(const TouchIntake&) = delete;

    [[nodiscard]] ParsedTouch parse(std::string_view padded_bytes, IntakeKind kind = IntakeKind::touch);

    // The two readers by themselves. The quick one returns false when it gives up; `out` is then worthless.
    [[nodiscard]] bool parse_quickly(std::string_view padded_bytes, ParsedTouch& out);
    [[nodiscard]] ParsedTouch parse_strictly(std::string_view bytes, IntakeKind kind = IntakeKind::touch);

private:
    struct Parser;
    void hash(TouchRequest& request, std::uint32_t fields_given);

    const PhoneNumbers& phones_;
    crypto::KeyedHash body_hash_;
    std::string canonical_;
    std::unique_ptr<Parser> parser_;
};

// Adds those of `found` that lie neither at, above nor below a pointer already known: the engine checks a touch that has problems of form
// too, so that a caller sees everything at once, but what could not be read must not be named twice.
void add_problems_elsewhere(std::vector<Problem>& known, const std::vector<Problem>& found);

}  // namespace touchgate::http
