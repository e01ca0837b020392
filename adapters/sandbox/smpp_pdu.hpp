// SMPP 3.4 PDUs as a message centre reads and writes them, from the specification (section numbers below are those of SMPP v3.4
// Issue 1.2). The sandbox's own codec: the gateway's SMPP adapter shares nothing with it.
//
// Reading never throws and never looks past the bytes it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace touchgate::sandbox::smpp {

inline constexpr std::size_t header_bytes = 16;
inline constexpr std::uint32_t pdu_bytes_max = 70'000;  // message_payload may reach 64 KiB
inline constexpr std::uint32_t sequence_max = 0x7FFFFFFF;

enum Command : std::uint32_t {
    bind_receiver = 0x01,
    bind_transmitter = 0x02,
    query_sm = 0x03,
    submit_sm = 0x04,
    deliver_sm = 0x05,
    unbind = 0x06,
    replace_sm = 0x07,
    cancel_sm = 0x08,
    bind_transceiver = 0x09,
    enquire_link = 0x15,
    response_bit = 0x80000000,
    generic_nack = 0x80000000,
};

// Table 5-2.
enum Status : std::uint32_t {
    ok = 0x00,
    invalid_message_length = 0x01,
    invalid_command_length = 0x02,
    invalid_command_id = 0x03,
    incorrect_bind_status = 0x04,
    already_bound = 0x05,
    invalid_priority = 0x06,
    invalid_registered_delivery = 0x07,
    system_error = 0x08,
    invalid_destination = 0x0B,
    invalid_message_id = 0x0C,
    bind_failed = 0x0D,
    invalid_password = 0x0E,
    invalid_system_id = 0x0F,
    cancel_failed = 0x11,
    replace_failed = 0x13,
    message_queue_full = 0x14,
    invalid_esm_class = 0x43,
    throttled = 0x58,
    invalid_schedule = 0x61,
    invalid_validity = 0x62,
    receiver_temporary_error = 0x64,
    invalid_optional_parameter = 0xC4,
    unknown_error = 0xFF,
};

enum Tag : std::uint16_t {
    receipted_message_id = 0x001E,
    sar_reference = 0x020C,
    sar_total = 0x020E,
    sar_index = 0x020F,
    sc_interface_version = 0x0210,
    network_error_code = 0x0423,
    message_payload = 0x0424,
    message_state = 0x0427,
};

struct Header {
    std::uint32_t length = 0;
    std::uint32_t command = 0;
    std::uint32_t status = 0;
    std::uint32_t sequence = 0;
};
// `bytes` must hold at least 16.
[[nodiscard]] Header read_header(std::string_view bytes);

// Takes mandatory fields one after the other; the first that does not fit sets failed(), and all later ones are empty.
class FieldReader {
public:
    explicit FieldReader(std::string_view bytes) : bytes_{bytes} {}
    [[nodiscard]] std::uint8_t u8();
    [[nodiscard]] std::uint16_t u16();
    // Up to the zero byte, which must come within `size_max` bytes (the zero counted, as in the specification's tables).
    [[nodiscard]] std::string_view c_octets(std::size_t size_max);
    [[nodiscard]] std::string_view octets(std::size_t size);
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] std::size_t position() const { return position_; }
    [[nodiscard]] bool at_end() const { return position_ == bytes_.size(); }

private:
    std::string_view bytes_;
    std::size_t position_ = 0;
    bool failed_ = false;
};

struct Bind {
    std::string_view system_id;
    std::string_view password;
    std::uint8_t interface_version = 0;
};
[[nodiscard]] std::optional<Bind> read_bind(std::string_view body);

// What a part's place in a long message is, by user-data header or by SAR parameters (5.3.2.22 to 24; 3GPP TS 23.040 9.2.3.24).
enum class Joining : std::uint8_t { none, udh8, udh16, sar };
struct PartPlace {
    Joining joining = Joining::none;
    std::uint16_t reference = 0;
    std::uint8_t total = 1;
    std::uint8_t index = 1;  // from 1
};

struct Submit {
    std::uint8_t source_ton = 0, source_npi = 0, destination_ton = 0, destination_npi = 0;
    std::string_view source;
    std::string_view destination;
    std::uint8_t esm_class = 0;
    std::uint8_t registered_delivery = 0;
    std::uint8_t data_coding = 0;
    std::string_view payload;       // without the user-data header, from short_message or message_payload
    std::size_t header_octets = 0;  // of the user-data header, its length byte counted
    bool from_payload_tlv = false;
    PartPlace place;
};
// Views into `body`. The status is that of the answer: ok, or what is wrong with the submit (4.4.1 and 5.2).
struct SubmitReading {
    Submit submit;
    Status status = ok;
};
[[nodiscard]] SubmitReading read_submit(std::string_view body);

// Octets that this payload takes on the air at `coding` septets or octets, header included; at most 140 fit into one part.
[[nodiscard]] std::size_t air_octets(const Submit& submit, bool septets);

// ---- writing
// Appends a PDU: the header with a length of 0, filled in by `end` once the body is there.
class PduWriter {
public:
    PduWriter(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence);
    ~PduWriter() { end(); }
    PduWriter(const PduWriter&) = delete;
    PduWriter& operator=(const PduWriter&) = delete;

    void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void u16(std::uint16_t value);
    void u32(std::uint32_t value);
    void octets(std::string_view value) { out_.append(value); }
    void c_octets(std::string_view value) {
        out_.append(value);
        out_.push_back('\0');
    }
    void tlv(Tag tag, std::string_view value);
    void end();

private:
    std::string& out_;
    std::size_t start_;
};

// A PDU without a body: answers to enquire_link and unbind, refusals.
void append_bare(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence);

struct Deliver {
    std::uint8_t source_ton = 1, source_npi = 1;
    std::string_view source;
    std::uint8_t destination_ton = 0, destination_npi = 1;
    std::string_view destination;
    std::uint8_t esm_class = 0;
    std::uint8_t data_coding = 0;
    std::string_view short_message;        // at most 254 bytes
    std::string_view receipted_id = {};    // "": no receipt parameters
    std::uint8_t state = 0;                // message_state, table 5-6
    std::string_view network_error = {};   // 3 bytes or ""
};
void append_deliver(std::string& out, std::uint32_t sequence, const Deliver& deliver);

}  // namespace touchgate::sandbox::smpp
