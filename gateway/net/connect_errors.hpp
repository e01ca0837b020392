// What failed on the way to a peer, in words that tell an operator what to look at.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>

namespace touchgate::net {

// "cannot find the host smsc.example (wrong name, or no DNS?)", "10.0.0.1:2775 refused the connection (wrong port, or nothing listens there?)" …
[[nodiscard]] std::string explain_connect_error(const boost::system::error_code& error, const std::string& host, std::uint16_t port);
[[nodiscard]] std::string explain_tls_error(const boost::system::error_code& error, const std::string& host, std::uint16_t port, long verify_result);

}  // namespace touchgate::net
