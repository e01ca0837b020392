#include "adapters/cmpp/pdu.hpp"

#include <date/date.h>

#include <array>

#include "gateway/base/text.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::adapters::cmpp {

namespace {

constexpr std::size_t number_width_20 = 21;
constexpr std::size_t number_width_30 = 32;
constexpr std::size_t number_width(bool wide) { return wide ? number_width_30 : number_width_20; }
constexpr std::chrono::hours china_offset{8};

std::string big_endian(std::uint64_t value, std::size_t size) {
    std::string bytes;
    for (auto i = size; i-- > 0;) bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
    return bytes;
}
void put(std::string& out, std::uint64_t value, std::size_t size) { out += big_endian(value, size); }
void put_text(std::string& out, std::string_view text, std::size_t width) {
    out += text.substr(0, width);
    if (text.size() < width) out.append(width - text.size(), '\0');
}

// Writes the header and, at its end, the length of what was put after it.
class OpenPdu {
public:
    OpenPdu(std::string& out, std::uint32_t id, std::uint32_t sequence) : out_{out}, start_{out.size()} {
        put(out, 0, 4);
        put(out, id, 4);
        put(out, sequence, 4);
    }
    OpenPdu(const OpenPdu&) = delete;
    OpenPdu& operator=(const OpenPdu&) = delete;
    ~OpenPdu() { out_.replace(start_, 4, big_endian(out_.size() - start_, 4)); }

private:
    std::string& out_;
    std::size_t start_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_{bytes} {}
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const char c : raw(size)) value = (value << 8U) | static_cast<std::uint8_t>(c);
        return value;
    }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::string_view raw(std::size_t size) {
        if (failed_ || rest_.size() < size) {
            failed_ = true;
            return {};
        }
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    // Cut at the first zero byte, blanks trimmed.
    std::string text(std::size_t width) {
        const auto field = raw(width);
        return std::string{trim(field.substr(0, field.find('\0')))};
    }
    [[nodiscard]] std::size_t remaining() const { return rest_.size(); }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace

void FrameReader::feed(std::string_view bytes) {
    if (read_ > 0) {
        buffer_.erase(0, read_);
        read_ = 0;
    }
    if (!damaged_) buffer_ += bytes;
}

std::optional<Frame> FrameReader::next() {
    const auto available = std::string_view{buffer_}.substr(read_);
    if (damaged_ || available.size() < 4) return std::nullopt;
    Reader reader{available};
    Header header;
    header.length = reader.u32();
    if (header.length < header_bytes || header.length > pdu_bytes_max) {
        damaged_ = true;
        return std::nullopt;
    }
    if (available.size() < header.length) return std::nullopt;
    header.id = reader.u32();
    header.sequence = reader.u32();
    read_ += header.length;
    return Frame{.header = header, .body = available.substr(header_bytes, header.length - header_bytes)};
}

void FrameReader::clear() {
    buffer_.clear();
    read_ = 0;
    damaged_ = false;
}

std::string connect_authenticator(std::string_view source_address, std::string_view secret, std::uint32_t timestamp) {
    constexpr std::size_t zeros = 9;
    constexpr std::size_t timestamp_digits = 10;  // also from January to September, when the number has nine
    auto digits = std::to_string(timestamp);
    if (digits.size() < timestamp_digits) digits.insert(0, timestamp_digits - digits.size(), '0');
    return crypto::md5(std::string{source_address} + std::string(zeros, '\0') + std::string{secret} + digits);
}

std::string answer_authenticator(std::uint32_t status, std::size_t status_bytes, std::string_view request_authenticator, std::string_view secret) {
    return crypto::md5(big_endian(status, status_bytes) + std::string{request_authenticator} + std::string{secret});
}

std::uint32_t connect_timestamp(Instant now) {
    const auto local = now + china_offset;
    const auto day = date::floor<date::days>(local);
    const date::year_month_day date{day};
    const date::hh_mm_ss time{date::floor<std::chrono::seconds>(local - day)};
    return (((static_cast<unsigned>(date.month()) * 100 + static_cast<unsigned>(date.day())) * 100 + static_cast<unsigned>(time.hours().count())) *
                100 +
            static_cast<unsigned>(time.minutes().count())) *
               100 +
           static_cast<unsigned>(time.seconds().count());
}

void append_header_only(std::string& out, std::uint32_t id, std::uint32_t sequence) { const OpenPdu pdu{out, id, sequence}; }

void append_connect(std::string& out, std::uint32_t sequence, const Connect& connect) {
    const OpenPdu pdu{out, command::connect, sequence};
    put_text(out, connect.source_address, 6);
    put_text(out, connect.authenticator, 16);
    put(out, static_cast<std::uint8_t>(connect.version), 1);
    put(out, connect.timestamp, 4);
}

void append_connect_answer(std::string& out, std::uint32_t sequence, const ConnectAnswer& answer, bool wide) {
    const OpenPdu pdu{out, command::connect | command::response_bit, sequence};
    put(out, answer.status, wide ? 4 : 1);
    put_text(out, answer.authenticator, 16);
    put(out, answer.version, 1);
}

void append_submit(std::string& out, std::uint32_t sequence, const Submit& submit, bool wide) {
    const OpenPdu pdu{out, command::submit, sequence};
    put(out, submit.message_id, 8);
    put(out, submit.part_total, 1);
    put(out, submit.part_number, 1);
    put(out, submit.registered_delivery, 1);
    put(out, submit.level, 1);
    put_text(out, submit.service_id, 10);
    put(out, submit.fee_user_type, 1);
    put_text(out, submit.fee_terminal, number_width(wide));
    if (wide) put(out, submit.fee_terminal_type, 1);
    put(out, submit.protocol_id, 1);
    put(out, submit.user_data_header, 1);
    put(out, submit.format, 1);
    put_text(out, submit.source_id, 6);
    put_text(out, submit.fee_type, 2);
    put_text(out, submit.fee_code, 6);
    put_text(out, submit.valid_time, 17);
    put_text(out, submit.at_time, 17);
    put_text(out, submit.source_number, 21);
    put(out, 1, 1);
    put_text(out, submit.destination, number_width(wide));
    if (wide) put(out, submit.destination_type, 1);
    const auto content = std::string_view{submit.content}.substr(0, 255);
    put(out, content.size(), 1);
    out += content;
    out.append(wide ? 20 : 8, '\0');
}

void append_submit_answer(std::string& out, std::uint32_t sequence, const SubmitAnswer& answer, bool wide) {
    const OpenPdu pdu{out, command::submit | command::response_bit, sequence};
    put(out, answer.message_id, 8);
    put(out, answer.result, wide ? 4 : 1);
}

void append_deliver(std::string& out, std::uint32_t sequence, const Deliver& deliver, bool wide) {
    const OpenPdu pdu{out, command::deliver, sequence};
    put(out, deliver.message_id, 8);
    put_text(out, deliver.destination, 21);
    put_text(out, deliver.service_id, 10);
    put(out, deliver.protocol_id, 1);
    put(out, deliver.user_data_header, 1);
    put(out, deliver.format, 1);
    put_text(out, deliver.source, number_width(wide));
    if (wide) put(out, deliver.source_type, 1);
    put(out, deliver.registered_delivery, 1);
    const auto content = std::string_view{deliver.content}.substr(0, 255);
    put(out, content.size(), 1);
    out += content;
    out.append(wide ? 20 : 8, '\0');
}

void append_deliver_answer(std::string& out, std::uint32_t sequence, std::uint64_t message_id, std::uint32_t result, bool wide) {
    const OpenPdu pdu{out, command::deliver | command::response_bit, sequence};
    put(out, message_id, 8);
    put(out, result, wide ? 4 : 1);
}

void append_active_test_answer(std::string& out, std::uint32_t sequence) {
    const OpenPdu pdu{out, command::active_test | command::response_bit, sequence};
    put(out, 0, 1);
}

std::string report_content(const Report& report, bool wide) {
    std::string out;
    put(out, report.message_id, 8);
    put_text(out, report.stat, 7);
    put_text(out, report.submit_time, 10);
    put_text(out, report.done_time, 10);
    put_text(out, report.destination, number_width(wide));
    put(out, report.sequence, 4);
    return out;
}

std::optional<Connect> read_connect(std::string_view body) {
    Reader reader{body};
    Connect connect;
    connect.source_address = reader.text(6);
    connect.authenticator = reader.raw(16);
    const auto version = reader.u8();
    connect.version = version >= 0x30 ? Version::v30 : version == 0x21 ? Version::v21 : Version::v20;
    connect.timestamp = reader.u32();
    if (reader.failed()) return std::nullopt;
    return connect;
}

std::optional<ConnectAnswer> read_connect_answer(std::string_view body) {
    constexpr std::size_t bytes_30 = 21;
    Reader reader{body};
    ConnectAnswer answer;
    answer.status = static_cast<std::uint32_t>(reader.number(body.size() >= bytes_30 ? 4 : 1));
    answer.authenticator = reader.raw(16);
    answer.version = reader.u8();
    if (reader.failed()) return std::nullopt;
    return answer;
}

std::optional<Submit> read_submit(std::string_view body, bool wide) {
    Reader reader{body};
    Submit submit;
    submit.message_id = reader.number(8);
    submit.part_total = reader.u8();
    submit.part_number = reader.u8();
    submit.registered_delivery = reader.u8();
    submit.level = reader.u8();
    submit.service_id = reader.text(10);
    submit.fee_user_type = reader.u8();
    submit.fee_terminal = reader.text(number_width(wide));
    if (wide) submit.fee_terminal_type = reader.u8();
    submit.protocol_id = reader.u8();
    submit.user_data_header = reader.u8();
    submit.format = reader.u8();
    submit.source_id = reader.text(6);
    submit.fee_type = reader.text(2);
    submit.fee_code = reader.text(6);
    submit.valid_time = reader.text(17);
    submit.at_time = reader.text(17);
    submit.source_number = reader.text(21);
    const auto receivers = reader.u8();
    if (receivers != 1) return std::nullopt;
    submit.destination = reader.text(number_width(wide));
    if (wide) submit.destination_type = reader.u8();
    submit.content = reader.raw(reader.u8());
    if (reader.failed()) return std::nullopt;
    return submit;
}

std::optional<SubmitAnswer> read_submit_answer(std::string_view body) {
    Reader reader{body};
    SubmitAnswer answer;
    answer.message_id = reader.number(8);
    answer.result = static_cast<std::uint32_t>(reader.number(reader.remaining() >= 4 ? 4 : 1));
    if (reader.failed()) return std::nullopt;
    return answer;
}

std::optional<Deliver> read_deliver(std::string_view body, bool wide) {
    Reader reader{body};
    Deliver deliver;
    deliver.message_id = reader.number(8);
    deliver.destination = reader.text(21);
    deliver.service_id = reader.text(10);
    deliver.protocol_id = reader.u8();
    deliver.user_data_header = reader.u8();
    deliver.format = reader.u8();
    deliver.source = reader.text(number_width(wide));
    if (wide) deliver.source_type = reader.u8();
    deliver.registered_delivery = reader.u8();
    deliver.content = reader.raw(reader.u8());
    if (reader.failed()) return std::nullopt;  // what follows is Reserve or LinkID, of whatever length
    return deliver;
}

std::optional<Report> read_report(std::string_view content) {
    constexpr std::size_t bytes_without_number = 8 + 7 + 10 + 10 + 4;
    if (content.size() < bytes_without_number) return std::nullopt;
    Reader reader{content};
    Report report;
    report.message_id = reader.number(8);
    report.stat = reader.text(7);
    report.submit_time = reader.text(10);
    report.done_time = reader.text(10);
    report.destination = reader.text(content.size() - bytes_without_number);
    report.sequence = reader.u32();
    return report;
}

std::string message_id_text(std::uint64_t id) { return to_hex(big_endian(id, 8)); }

std::string_view result_name(std::uint32_t result) {
    static constexpr std::array<std::string_view, 14> names = {
        "accepted", "structure error", "command error", "sequence repeated", "length error", "fee code error", "too long", "service code error",
        "flow control", "charged number not served", "Src_Id wrong", "Msg_src wrong", "Fee_terminal_Id wrong", "Dest_terminal_Id wrong"};
    if (result < names.size()) return names[result];
    return result >= 100 && result <= 199 ? "vendor specific" : "reserved";
}

std::string_view connect_status_name(std::uint32_t status) {
    static constexpr std::array<std::string_view, 5> names = {"ok", "structure error", "source address not allowed", "authentication failed",
                                                              "version too high"};
    return status < names.size() ? names[status] : "other error";
}

}  // namespace touchgate::adapters::cmpp
