#include "gateway/net/connect_errors.hpp"

#include <openssl/x509_vfy.h>

#include <boost/asio/error.hpp>

namespace touchgate::net {

namespace asio = boost::asio;

namespace {

std::string place(const std::string& host, std::uint16_t port) { return host + ':' + std::to_string(port); }

}  // namespace

std::string explain_connect_error(const boost::system::error_code& error, const std::string& host, std::uint16_t port) {
    if (error == asio::error::host_not_found || error == asio::error::host_not_found_try_again || error == asio::error::no_data)
        return "cannot find the host " + host + " (wrong name, or no DNS?)";
    if (error == asio::error::connection_refused) return place(host, port) + " refused the connection (wrong port, or nothing listens there?)";
    if (error == asio::error::timed_out) return place(host, port) + " does not answer (wrong host, or a firewall between?)";
    if (error == asio::error::host_unreachable || error == asio::error::network_unreachable) return "no route to " + place(host, port);
    if (error == asio::error::connection_reset) return place(host, port) + " reset the connection";
    if (error == asio::error::eof) return place(host, port) + " closed the connection";
    return place(host, port) + ": " + error.message();
}

std::string explain_tls_error(const boost::system::error_code& error, const std::string& host, std::uint16_t port, long verify_result) {
    if (verify_result != X509_V_OK)
        return "TLS: the certificate of " + place(host, port) + " is not accepted: " + X509_verify_cert_error_string(verify_result) +
               " (set the authority's file, or check the host name)";
    if (error == asio::error::timed_out) return "TLS: " + place(host, port) + " does not answer the handshake (is this port TLS at all?)";
    return "TLS: no handshake with " + place(host, port) + ": " + error.message() + " (is this port TLS at all?)";
}

}  // namespace touchgate::net
