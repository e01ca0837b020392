// The bytes of SMPP 3.4: framing, the PDUs that a client meets, and their names. Values in, bytes out and back; no state but a buffer.
//
// Section numbers are of "Short Message Peer to Peer Protocol Specification v3.4", issue 1.2. Integers are unsigned and big-endian (3.1).
// Decoders are total: damaged bytes give nothing, never a fault. They are lenient where real peers are: string sizes are not enforced,
// a missing final zero and broken optional parameters at the end are accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace touchgate::adapters::smpp {

// Command ids (table 5-1). A response has bit 31 set.
namespace command {
inline constexpr std::uint32_t bind_receiver = 0x01;
inline constexpr std::uint32_t bind_transmitter = 0x02;
inline constexpr std::uint32_t submit_sm = 0x04;
inline constexpr std::uint32_t deliver_sm = 0x05;
inline constexpr std::uint32_t unbind = 0x06;
inline constexpr std::uint32_t bind_transceiver = 0x09;
inline constexpr std::uint32_t outbind = 0x0B;
inline constexpr std::uint32_t enquire_link = 0x15;
inline constexpr std::uint32_t alert_notification = 0x102;
inline constexpr std::uint32_t data_sm = 0x103;
inline constexpr std::uint32_t generic_nack = 0x8000'0000;
inline constexpr std::uint32_t response_bit = 0x8000'0000;
}  // namespace command

// Command status values that the session itself acts on (table 5-2); names of all: status_name.
namespace status {
inline constexpr std::uint32_t ok = 0x00;
inline constexpr std::uint32_t invalid_command_length = 0x02;
inline constexpr std::uint32_t invalid_command_id = 0x03;
inline constexpr std::uint32_t invalid_bind_status = 0x04;
inline constexpr std::uint32_t already_bound = 0x05;
inline constexpr std::uint32_t system_error = 0x08;
inline constexpr std::uint32_t invalid_destination = 0x0B;
inline constexpr std::uint32_t bind_failed = 0x0D;
inline constexpr std::uint32_t invalid_password = 0x0E;
inline constexpr std::uint32_t invalid_system_id = 0x0F;
inline constexpr std::uint32_t queue_full = 0x14;
inline constexpr std::uint32_t invalid_system_type = 0x53;
inline constexpr std::uint32_t throttled = 0x58;
inline constexpr std::uint32_t temporary_application_error = 0x64;  // ESME_RX_T_APPN: repeat it later
inline constexpr std::uint32_t permanent_application_error = 0x65;  // ESME_RX_P_APPN
}  // namespace status

// "ESME_RTHROTTLED"; "vendor specific" for 0x400 to 0x4FF, "reserved" for the rest.
[[nodiscard]] std::string_view status_name(std::uint32_t code);
// "0x0B", "0x58", "0x400": at least two digits.
[[nodiscard]] std::string status_code(std::uint32_t code);

// Optional parameter tags (5.3.2).
namespace tag {
inline constexpr std::uint16_t receipted_message_id = 0x001E;
inline constexpr std::uint16_t sar_msg_ref_num = 0x020C;
inline constexpr std::uint16_t sar_total_segments = 0x020E;
inline constexpr std::uint16_t sar_segment_seqnum = 0x020F;
inline constexpr std::uint16_t sc_interface_version = 0x0210;
inline constexpr std::uint16_t network_error_code = 0x0423;
inline constexpr std::uint16_t message_payload = 0x0424;
inline constexpr std::uint16_t message_state = 0x0427;
}  // namespace tag

struct Tlv {
    std::uint16_t tag = 0;
    std::string value = {};
    bool operator==(const Tlv&) const = default;
};

inline constexpr std::size_t header_bytes = 16;
// message_payload may hold 64 KiB (5.3.2.32); more than this is taken for a stream out of step.
inline constexpr std::size_t pdu_bytes_max = 70'000;
inline constexpr std::uint32_t sequence_max = 0x7FFF'FFFF;

struct Header {
    std::uint32_t length = 0;  // of the whole PDU
    std::uint32_t id = 0;
    std::uint32_t status = 0;
    std::uint32_t sequence = 0;
};

struct Frame {
    Header header;
    std::string_view body;  // valid until the reader is fed again
};

// Cuts a byte stream into PDUs.
class FrameReader {
public:
    void feed(std::string_view bytes);
    // The next whole PDU, or nothing: more bytes are needed, or the stream is damaged.
    [[nodiscard]] std::optional<Frame> next();
    // A command_length below 16 or above the limit: the stream cannot be read any further.
    [[nodiscard]] bool damaged() const { return damaged_; }
    [[nodiscard]] bool holds_partial_pdu() const { return read_ < buffer_.size(); }
    void clear();

private:
    std::string buffer_;
    std::size_t read_ = 0;
    bool damaged_ = false;
};

struct Address {
    std::uint8_t ton = 0;
    std::uint8_t npi = 0;
    std::string digits = {};
    bool operator==(const Address&) const = default;
};

struct Bind {  // 4.1
    std::string system_id = {};
    std::string password = {};
    std::string system_type = {};
    std::uint8_t interface_version = 0x34;
    std::uint8_t addr_ton = 0;
    std::uint8_t addr_npi = 0;
    std::string address_range = {};
};

struct BindAnswer {
    std::string system_id = {};
    std::vector<Tlv> tlvs = {};
};

// The body of submit_sm and deliver_sm (4.4.1, 4.6.1), which is one layout; of data_sm (4.7.1) the fields it has.
struct ShortMessage {
    std::string service_type = {};
    Address source = {};
    Address destination = {};
    std::uint8_t esm_class = 0;
    std::uint8_t protocol_id = 0;
    std::uint8_t priority = 0;
    std::string schedule_delivery_time = {};
    std::string validity_period = {};
    std::uint8_t registered_delivery = 0;
    std::uint8_t replace_if_present = 0;
    std::uint8_t data_coding = 0;
    std::uint8_t default_message_id = 0;
    std::string short_message = {};  // at most 254 bytes
    std::vector<Tlv> tlvs = {};

    [[nodiscard]] const Tlv* find(std::uint16_t wanted) const;
    // short_message, or message_payload where that is empty.
    [[nodiscard]] std::string_view bytes() const;
};

void append_header_only(std::string& out, std::uint32_t id, std::uint32_t status, std::uint32_t sequence);
void append_bind(std::string& out, std::uint32_t id, std::uint32_t sequence, const Bind& bind);
void append_bind_answer(std::string& out, std::uint32_t bind_id, std::uint32_t status, std::uint32_t sequence, const BindAnswer& answer);
void append_short_message(std::string& out, std::uint32_t id, std::uint32_t sequence, const ShortMessage& message);
void append_data_message(std::string& out, std::uint32_t sequence, const ShortMessage& message);
// submit_sm_resp, deliver_sm_resp, data_sm_resp: a header and one C-octet string; header only when the status is not zero.
void append_message_answer(std::string& out, std::uint32_t request_id, std::uint32_t status, std::uint32_t sequence, std::string_view message_id);

[[nodiscard]] std::optional<Bind> read_bind(std::string_view body);
[[nodiscard]] std::optional<BindAnswer> read_bind_answer(std::string_view body);
[[nodiscard]] std::optional<ShortMessage> read_short_message(std::string_view body);
[[nodiscard]] std::optional<ShortMessage> read_data_message(std::string_view body);
// The message_id of submit_sm_resp; nothing when the body is missing or damaged.
[[nodiscard]] std::optional<std::string> read_message_id(std::string_view body);

}  // namespace touchgate::adapters::smpp
