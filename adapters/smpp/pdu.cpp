#include "adapters/smpp/pdu.hpp"

#include <algorithm>
#include <array>

namespace touchgate::adapters::smpp {

namespace {

void put8(std::string& out, std::uint32_t value) { out.push_back(static_cast<char>(value & 0xFFU)); }
void put16(std::string& out, std::uint32_t value) {
    put8(out, value >> 8U);
    put8(out, value);
}
void put32(std::string& out, std::uint32_t value) {
    put16(out, value >> 16U);
    put16(out, value);
}
void put_text(std::string& out, std::string_view text) {
    out += text.substr(0, text.find('\0'));
    out.push_back('\0');
}
void put_tlvs(std::string& out, const std::vector<Tlv>& tlvs) {
    for (const auto& tlv : tlvs) {
        put16(out, tlv.tag);
        put16(out, static_cast<std::uint32_t>(tlv.value.size()));
        out += tlv.value;
    }
}

// Writes the header and, at its end, the length of what was put after it.
class OpenPdu {
public:
    OpenPdu(std::string& out, std::uint32_t id, std::uint32_t status, std::uint32_t sequence) : out_{out}, start_{out.size()} {
        put32(out, 0);
        put32(out, id);
        put32(out, status);
        put32(out, sequence);
    }
    OpenPdu(const OpenPdu&) = delete;
    OpenPdu& operator=(const OpenPdu&) = delete;
    ~OpenPdu() {
        const auto length = static_cast<std::uint32_t>(out_.size() - start_);
        for (unsigned i = 0; i < 4; ++i) out_[start_ + i] = static_cast<char>((length >> (24U - 8U * i)) & 0xFFU);
    }

private:
    std::string& out_;
    std::size_t start_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_{bytes} {}
    std::uint32_t number(std::size_t size) {
        std::uint32_t value = 0;
        for (const char c : raw(size)) value = (value << 8U) | static_cast<std::uint8_t>(c);
        return value;
    }
    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::string_view raw(std::size_t size) {
        if (failed_ || rest_.size() < size) {
            failed_ = true;
            return {};
        }
        const auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    // A C-octet string; one that lacks its final zero is taken only as the last field (`may_end`).
    std::string_view text(bool may_end = false) {
        if (failed_) return {};
        const auto end = rest_.find('\0');
        if (end == std::string_view::npos) {
            if (!may_end || rest_.empty()) failed_ = true;
            return failed_ ? std::string_view{} : raw(rest_.size());
        }
        const auto taken = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return taken;
    }
    Address address() {
        Address read;
        read.ton = u8();
        read.npi = u8();
        read.digits = text();
        return read;
    }
    // Optional parameters to the end; a broken one ends the reading and the others stand.
    std::vector<Tlv> tlvs() {
        std::vector<Tlv> list;
        while (!failed_ && rest_.size() >= 4) {
            const auto tag = static_cast<std::uint16_t>(number(2));
            const auto size = number(2);
            if (size > rest_.size()) break;
            list.push_back({.tag = tag, .value = std::string{raw(size)}});
        }
        return list;
    }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    std::string_view rest_;
    bool failed_ = false;
};

struct StatusName { std::uint32_t code; std::string_view name; };
constexpr std::array status_names = std::to_array<StatusName>({
    {0x00, "ESME_ROK"}, {0x01, "ESME_RINVMSGLEN"}, {0x02, "ESME_RINVCMDLEN"}, {0x03, "ESME_RINVCMDID"}, {0x04, "ESME_RINVBNDSTS"},
    {0x05, "ESME_RALYBND"}, {0x06, "ESME_RINVPRTFLG"}, {0x07, "ESME_RINVREGDLVFLG"}, {0x08, "ESME_RSYSERR"}, {0x0A, "ESME_RINVSRCADR"},
    {0x0B, "ESME_RINVDSTADR"}, {0x0C, "ESME_RINVMSGID"}, {0x0D, "ESME_RBINDFAIL"}, {0x0E, "ESME_RINVPASWD"}, {0x0F, "ESME_RINVSYSID"},
    {0x11, "ESME_RCANCELFAIL"}, {0x13, "ESME_RREPLACEFAIL"}, {0x14, "ESME_RMSGQFUL"}, {0x15, "ESME_RINVSERTYP"}, {0x33, "ESME_RINVNUMDESTS"},
    {0x34, "ESME_RINVDLNAME"}, {0x40, "ESME_RINVDESTFLAG"}, {0x42, "ESME_RINVSUBREP"}, {0x43, "ESME_RINVESMCLASS"}, {0x44, "ESME_RCNTSUBDL"},
    {0x45, "ESME_RSUBMITFAIL"}, {0x48, "ESME_RINVSRCTON"}, {0x49, "ESME_RINVSRCNPI"}, {0x50, "ESME_RINVDSTTON"}, {0x51, "ESME_RINVDSTNPI"},
    {0x53, "ESME_RINVSYSTYP"}, {0x54, "ESME_RINVREPFLAG"}, {0x55, "ESME_RINVNUMMSGS"}, {0x58, "ESME_RTHROTTLED"}, {0x61, "ESME_RINVSCHED"},
    {0x62, "ESME_RINVEXPIRY"}, {0x63, "ESME_RINVDFTMSGID"}, {0x64, "ESME_RX_T_APPN"}, {0x65, "ESME_RX_P_APPN"}, {0x66, "ESME_RX_R_APPN"},
    {0x67, "ESME_RQUERYFAIL"}, {0xC0, "ESME_RINVOPTPARSTREAM"}, {0xC1, "ESME_ROPTPARNOTALLWD"}, {0xC2, "ESME_RINVPARLEN"},
    {0xC3, "ESME_RMISSINGOPTPARAM"}, {0xC4, "ESME_RINVOPTPARAMVAL"}, {0xFE, "ESME_RDELIVERYFAILURE"}, {0xFF, "ESME_RUNKNOWNERR"},
});

constexpr std::size_t short_message_bytes_max = 254;

}  // namespace

std::string_view status_name(std::uint32_t code) {
    for (const auto& known : status_names)
        if (known.code == code) return known.name;
    return code >= 0x400 && code <= 0x4FF ? "vendor specific" : "reserved";
}

std::string status_code(std::uint32_t code) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    for (auto rest = code; rest != 0 || text.size() < 2; rest >>= 4U) text.insert(text.begin(), digits[rest & 0xFU]);
    return "0x" + text;
}

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
    header.length = reader.number(4);
    if (header.length < header_bytes || header.length > pdu_bytes_max) {
        damaged_ = true;
        return std::nullopt;
    }
    if (available.size() < header.length) return std::nullopt;
    header.id = reader.number(4);
    header.status = reader.number(4);
    header.sequence = reader.number(4);
    read_ += header.length;
    return Frame{.header = header, .body = available.substr(header_bytes, header.length - header_bytes)};
}

void FrameReader::clear() {
    buffer_.clear();
    read_ = 0;
    damaged_ = false;
}

const Tlv* ShortMessage::find(std::uint16_t wanted) const {
    const auto found = std::find_if(tlvs.begin(), tlvs.end(), [&](const Tlv& tlv) { return tlv.tag == wanted; });
    return found == tlvs.end() ? nullptr : &*found;
}

std::string_view ShortMessage::bytes() const {
    if (!short_message.empty()) return short_message;
    const auto* payload = find(tag::message_payload);
    return payload == nullptr ? std::string_view{} : std::string_view{payload->value};
}

void append_header_only(std::string& out, std::uint32_t id, std::uint32_t status, std::uint32_t sequence) {
    const OpenPdu pdu{out, id, status, sequence};
}

void append_bind(std::string& out, std::uint32_t id, std::uint32_t sequence, const Bind& bind) {
    const OpenPdu pdu{out, id, 0, sequence};
    put_text(out, bind.system_id);
    put_text(out, bind.password);
    put_text(out, bind.system_type);
    put8(out, bind.interface_version);
    put8(out, bind.addr_ton);
    put8(out, bind.addr_npi);
    put_text(out, bind.address_range);
}

void append_bind_answer(std::string& out, std::uint32_t bind_id, std::uint32_t status, std::uint32_t sequence, const BindAnswer& answer) {
    const OpenPdu pdu{out, bind_id | command::response_bit, status, sequence};
    if (status != 0) return;
    put_text(out, answer.system_id);
    put_tlvs(out, answer.tlvs);
}

void append_short_message(std::string& out, std::uint32_t id, std::uint32_t sequence, const ShortMessage& message) {
    const OpenPdu pdu{out, id, 0, sequence};
    put_text(out, message.service_type);
    put8(out, message.source.ton);
    put8(out, message.source.npi);
    put_text(out, message.source.digits);
    put8(out, message.destination.ton);
    put8(out, message.destination.npi);
    put_text(out, message.destination.digits);
    put8(out, message.esm_class);
    put8(out, message.protocol_id);
    put8(out, message.priority);
    put_text(out, message.schedule_delivery_time);
    put_text(out, message.validity_period);
    put8(out, message.registered_delivery);
    put8(out, message.replace_if_present);
    put8(out, message.data_coding);
    put8(out, message.default_message_id);
    const auto text = std::string_view{message.short_message}.substr(0, short_message_bytes_max);
    put8(out, static_cast<std::uint32_t>(text.size()));
    out += text;
    put_tlvs(out, message.tlvs);
}

void append_data_message(std::string& out, std::uint32_t sequence, const ShortMessage& message) {
    const OpenPdu pdu{out, command::data_sm, 0, sequence};
    put_text(out, message.service_type);
    put8(out, message.source.ton);
    put8(out, message.source.npi);
    put_text(out, message.source.digits);
    put8(out, message.destination.ton);
    put8(out, message.destination.npi);
    put_text(out, message.destination.digits);
    put8(out, message.esm_class);
    put8(out, message.registered_delivery);
    put8(out, message.data_coding);
    put_tlvs(out, message.tlvs);
}

void append_message_answer(std::string& out, std::uint32_t request_id, std::uint32_t status, std::uint32_t sequence, std::string_view message_id) {
    const OpenPdu pdu{out, request_id | command::response_bit, status, sequence};
    if (status == 0) put_text(out, message_id);
}

std::optional<Bind> read_bind(std::string_view body) {
    Reader reader{body};
    Bind bind;
    bind.system_id = reader.text();
    bind.password = reader.text();
    bind.system_type = reader.text();
    bind.interface_version = reader.u8();
    bind.addr_ton = reader.u8();
    bind.addr_npi = reader.u8();
    bind.address_range = reader.text(true);
    if (reader.failed()) return std::nullopt;
    return bind;
}

std::optional<BindAnswer> read_bind_answer(std::string_view body) {
    Reader reader{body};
    BindAnswer answer;
    answer.system_id = reader.text(true);
    answer.tlvs = reader.tlvs();
    if (reader.failed()) return std::nullopt;
    return answer;
}

std::optional<ShortMessage> read_short_message(std::string_view body) {
    Reader reader{body};
    ShortMessage message;
    message.service_type = reader.text();
    message.source = reader.address();
    message.destination = reader.address();
    message.esm_class = reader.u8();
    message.protocol_id = reader.u8();
    message.priority = reader.u8();
    message.schedule_delivery_time = reader.text();
    message.validity_period = reader.text();
    message.registered_delivery = reader.u8();
    message.replace_if_present = reader.u8();
    message.data_coding = reader.u8();
    message.default_message_id = reader.u8();
    message.short_message = reader.raw(reader.u8());
    if (reader.failed()) return std::nullopt;
    message.tlvs = reader.tlvs();
    return message;
}

std::optional<ShortMessage> read_data_message(std::string_view body) {
    Reader reader{body};
    ShortMessage message;
    message.service_type = reader.text();
    message.source = reader.address();
    message.destination = reader.address();
    message.esm_class = reader.u8();
    message.registered_delivery = reader.u8();
    message.data_coding = reader.u8();
    if (reader.failed()) return std::nullopt;
    message.tlvs = reader.tlvs();
    return message;
}

std::optional<std::string> read_message_id(std::string_view body) {
    Reader reader{body};
    const auto id = reader.text(true);
    if (reader.failed()) return std::nullopt;
    return std::string{id};
}

}  // namespace touchgate::adapters::smpp
