// Problems (RFC 9457): how an Error looks to an HTTP caller. Titles come in English and Chinese, by Accept-Language; details are English.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/error.hpp"
#include "gateway/http/message.hpp"

namespace touchgate::http {

enum class Language : std::uint8_t { english, chinese };

// The better of the two that the header's quality values allow; English without a header.
[[nodiscard]] Language preferred_language(std::string_view accept_language);

[[nodiscard]] std::string_view problem_title(ErrorKind kind, Language language);

// `reference_name` is the member that carries Error::reference ("touch_id", "contact_id"); empty: left out.
// `status` overrides the kind's status (408, 410, 412, 431).
[[nodiscard]] Response problem(const Error& error, Language language, std::string_view reference_name = {}, int status = 0);

// The `error` member of a bulk answer's line: title, detail, status and errors.
void append_line_error(std::string& out, const Error& error, std::string_view reference_name = {});

}  // namespace touchgate::http
