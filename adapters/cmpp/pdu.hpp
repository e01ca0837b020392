// The bytes of CMPP 2.0 and 3.0: framing, the PDUs that a service provider meets, message ids and the log-in digest.
//
// Layouts are of China Mobile's QB-GF-028-2003 ("CMPP interface protocol" V3.0.0); 2.0 has shorter number fields, one-byte results and no
// type fields. Integers are unsigned and big-endian; texts have a fixed width and are filled with zero bytes. Decoders are total: damaged
// bytes give nothing, never a fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/time.hpp"

namespace touchgate::adapters::cmpp {

namespace command {
inline constexpr std::uint32_t connect = 0x01;
inline constexpr std::uint32_t terminate = 0x02;
inline constexpr std::uint32_t submit = 0x04;
inline constexpr std::uint32_t deliver = 0x05;
inline constexpr std::uint32_t active_test = 0x08;
inline constexpr std::uint32_t response_bit = 0x8000'0000;
}  // namespace command

enum class Version : std::uint8_t { v20 = 0x20, v21 = 0x21, v30 = 0x30 };
// 2.1 has the layouts of 2.0.
[[nodiscard]] constexpr bool is_wide(Version version) { return version == Version::v30; }

inline constexpr std::size_t header_bytes = 12;
inline constexpr std::size_t pdu_bytes_max = 4'096;  // 100 receivers and 140 bytes of text stay below 3,700

struct Header {
    std::uint32_t length = 0;  // of the whole PDU
    std::uint32_t id = 0;
    std::uint32_t sequence = 0;
};
struct Frame {
    Header header;
    std::string_view body;  // valid until the reader is fed again
};

class FrameReader {
public:
    void feed(std::string_view bytes);
    [[nodiscard]] std::optional<Frame> next();
    // A Total_Length below 12 or above the limit: the stream cannot be read any further.
    [[nodiscard]] bool damaged() const { return damaged_; }
    void clear();

private:
    std::string buffer_;
    std::size_t read_ = 0;
    bool damaged_ = false;
};

struct Connect {  // 8.4.1.1
    std::string source_address = {};  // SP_Id, six digits
    std::string authenticator = {};   // 16 bytes
    Version version = Version::v20;
    std::uint32_t timestamp = 0;      // MMDDHHMMSS as a decimal number
};
struct ConnectAnswer {  // 8.4.1.2
    std::uint32_t status = 0;
    std::string authenticator = {};  // 16 bytes
    std::uint8_t version = 0;        // highest that the server supports
};

// MD5 of source address, nine zero bytes, secret and the timestamp as ten digits.
[[nodiscard]] std::string connect_authenticator(std::string_view source_address, std::string_view secret, std::uint32_t timestamp);
// MD5 of the status (one byte in 2.0, four in 3.0), the request's authenticator and the secret.
[[nodiscard]] std::string answer_authenticator(std::uint32_t status, std::size_t status_bytes, std::string_view request_authenticator,
                                               std::string_view secret);
// MMDDHHMMSS of the instant in China (UTC+8), as a number.
[[nodiscard]] std::uint32_t connect_timestamp(Instant now);

struct Submit {  // 8.4.3.1, one receiver
    std::uint64_t message_id = 0;
    std::uint8_t part_total = 1;
    std::uint8_t part_number = 1;
    std::uint8_t registered_delivery = 1;
    std::uint8_t level = 0;
    std::string service_id = {};
    std::uint8_t fee_user_type = 2;
    std::string fee_terminal = {};
    std::uint8_t fee_terminal_type = 0;  // 3.0
    std::uint8_t protocol_id = 0;
    std::uint8_t user_data_header = 0;
    std::uint8_t format = 8;
    std::string source_id = {};  // SP_Id
    std::string fee_type = "01";
    std::string fee_code = "000000";
    std::string valid_time = {};
    std::string at_time = {};
    std::string source_number = {};
    std::string destination = {};
    std::uint8_t destination_type = 0;  // 3.0
    std::string content = {};           // at most 255 bytes on the wire, 140 by the standard
};

struct SubmitAnswer {
    std::uint64_t message_id = 0;
    std::uint32_t result = 0;
};

struct Deliver {  // 8.4.5.1
    std::uint64_t message_id = 0;
    std::string destination = {};
    std::string service_id = {};
    std::uint8_t protocol_id = 0;
    std::uint8_t user_data_header = 0;
    std::uint8_t format = 0;
    std::string source = {};
    std::uint8_t source_type = 0;  // 3.0
    std::uint8_t registered_delivery = 0;
    std::string content = {};
};

struct Report {  // content of a Deliver with registered_delivery 1
    std::uint64_t message_id = 0;  // of the submit
    std::string stat = {};
    std::string submit_time = {};
    std::string done_time = {};
    std::string destination = {};
    std::uint32_t sequence = 0;
};

void append_header_only(std::string& out, std::uint32_t id, std::uint32_t sequence);
void append_connect(std::string& out, std::uint32_t sequence, const Connect& connect);
void append_connect_answer(std::string& out, std::uint32_t sequence, const ConnectAnswer& answer, bool wide);
void append_submit(std::string& out, std::uint32_t sequence, const Submit& submit, bool wide);
void append_submit_answer(std::string& out, std::uint32_t sequence, const SubmitAnswer& answer, bool wide);
void append_deliver(std::string& out, std::uint32_t sequence, const Deliver& deliver, bool wide);
void append_deliver_answer(std::string& out, std::uint32_t sequence, std::uint64_t message_id, std::uint32_t result, bool wide);
void append_active_test_answer(std::string& out, std::uint32_t sequence);
[[nodiscard]] std::string report_content(const Report& report, bool wide);

[[nodiscard]] std::optional<Connect> read_connect(std::string_view body);
// By length: 18 bytes are 2.0, 21 are 3.0, whatever was asked for.
[[nodiscard]] std::optional<ConnectAnswer> read_connect_answer(std::string_view body);
[[nodiscard]] std::optional<Submit> read_submit(std::string_view body, bool wide);
[[nodiscard]] std::optional<SubmitAnswer> read_submit_answer(std::string_view body);  // by length: 9 or 12 bytes
[[nodiscard]] std::optional<Deliver> read_deliver(std::string_view body, bool wide);
// By length: 60 bytes hold a 21-byte number, 71 a 32-byte one; of any other length from 39 the number is what stands between.
[[nodiscard]] std::optional<Report> read_report(std::string_view content);

// 16 lower-case hex digits: unsigned, and never a JSON number.
[[nodiscard]] std::string message_id_text(std::uint64_t id);

// "flow control"; "vendor specific" for 100 to 199, "reserved" otherwise.
[[nodiscard]] std::string_view result_name(std::uint32_t result);
[[nodiscard]] std::string_view connect_status_name(std::uint32_t status);

}  // namespace touchgate::adapters::cmpp
