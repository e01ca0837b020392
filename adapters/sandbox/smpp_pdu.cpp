#include "adapters/sandbox/smpp_pdu.hpp"

namespace touchgate::sandbox::smpp {

namespace {

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])); };
    return byte(0) << 24U | byte(1) << 16U | byte(2) << 8U | byte(3);
}

std::uint16_t u16_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8U | static_cast<unsigned char>(bytes[at + 1]));
}

// Reads the elements of a user-data header; false when it does not fit into the payload.
bool read_user_data_header(std::string_view payload, Submit& submit) {
    if (payload.empty()) return false;
    const auto length = static_cast<std::size_t>(static_cast<unsigned char>(payload[0]));
    if (length + 1 > payload.size()) return false;
    FieldReader elements{payload.substr(1, length)};
    while (!elements.at_end()) {
        const auto type = elements.u8();
        const auto value = elements.octets(elements.u8());
        if (elements.failed()) return false;
        const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(value[i]); };
        if (type == 0x00 && value.size() == 3) submit.place = {Joining::udh8, byte(0), byte(1), byte(2)};
        if (type == 0x08 && value.size() == 4) submit.place = {Joining::udh16, u16_at(value, 0), byte(2), byte(3)};
    }
    submit.header_octets = length + 1;
    return true;
}

struct OptionalParameters {
    std::optional<std::string_view> payload;
    std::optional<std::uint16_t> reference;
    std::optional<std::uint8_t> total;
    std::optional<std::uint8_t> index;
};

// False: a tag, length or value that does not fit. Unknown tags are skipped (3.3).
bool read_optional(std::string_view bytes, OptionalParameters& found) {
    FieldReader reader{bytes};
    while (!reader.at_end()) {
        const auto tag = reader.u16();
        const auto value = reader.octets(reader.u16());
        if (reader.failed()) return false;
        if (tag == message_payload) found.payload = value;
        else if (tag == sar_reference && value.size() == 2) found.reference = u16_at(value, 0);
        else if (tag == sar_total && value.size() == 1) found.total = static_cast<std::uint8_t>(value[0]);
        else if (tag == sar_index && value.size() == 1) found.index = static_cast<std::uint8_t>(value[0]);
        else if (tag == sar_reference || tag == sar_total || tag == sar_index) return false;
    }
    return true;
}

bool is_digits(std::string_view text) {
    for (const char c : text)
        if (c < '0' || c > '9') return false;
    return !text.empty();
}

// 7.1.1: 16 characters YYMMDDhhmmsstnnp.
bool is_time(std::string_view text) {
    if (text.empty()) return true;
    return text.size() == 16 && is_digits(text.substr(0, 15)) && (text[15] == '+' || text[15] == '-' || text[15] == 'R');
}

}  // namespace

Header read_header(std::string_view bytes) { return {u32_at(bytes, 0), u32_at(bytes, 4), u32_at(bytes, 8), u32_at(bytes, 12)}; }

std::uint8_t FieldReader::u8() {
    const auto taken = octets(1);
    return failed_ ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
}

std::uint16_t FieldReader::u16() {
    const auto taken = octets(2);
    return failed_ ? std::uint16_t{0} : u16_at(taken, 0);
}

std::string_view FieldReader::octets(std::size_t size) {
    if (failed_ || bytes_.size() - position_ < size) {
        failed_ = true;
        return {};
    }
    const auto taken = bytes_.substr(position_, size);
    position_ += size;
    return taken;
}

std::string_view FieldReader::c_octets(std::size_t size_max) {
    if (failed_) return {};
    const auto zero = bytes_.substr(position_, size_max).find('\0');
    if (zero == std::string_view::npos) {
        failed_ = true;
        return {};
    }
    const auto taken = bytes_.substr(position_, zero);
    position_ += zero + 1;
    return taken;
}

std::optional<Bind> read_bind(std::string_view body) {
    FieldReader reader{body};
    Bind bind;
    bind.system_id = reader.c_octets(16);
    bind.password = reader.c_octets(64);  // some operators give out passwords longer than the table's 9
    static_cast<void>(reader.c_octets(13));
    bind.interface_version = reader.u8();
    static_cast<void>(reader.u8());
    static_cast<void>(reader.u8());
    static_cast<void>(reader.c_octets(41));
    if (reader.failed()) return std::nullopt;
    return bind;
}

SubmitReading read_submit(std::string_view body) {
    SubmitReading reading;
    auto& submit = reading.submit;
    const auto refuse = [&](Status status) {
        reading.status = status;
        return reading;
    };
    FieldReader reader{body};
    static_cast<void>(reader.c_octets(6));
    submit.source_ton = reader.u8();
    submit.source_npi = reader.u8();
    submit.source = reader.c_octets(21);
    submit.destination_ton = reader.u8();
    submit.destination_npi = reader.u8();
    submit.destination = reader.c_octets(21);
    submit.esm_class = reader.u8();
    static_cast<void>(reader.u8());
    const auto priority = reader.u8();
    const auto schedule = reader.c_octets(17);
    const auto validity = reader.c_octets(17);
    submit.registered_delivery = reader.u8();
    static_cast<void>(reader.u8());
    submit.data_coding = reader.u8();
    static_cast<void>(reader.u8());
    const auto length = reader.u8();
    const auto short_message = reader.octets(length);
    if (reader.failed()) return refuse(invalid_command_length);
    if (length == 255) return refuse(invalid_message_length);

    OptionalParameters optional;
    if (!reader.at_end() && !read_optional(body.substr(reader.position()), optional)) return refuse(invalid_optional_parameter);
    if (optional.payload && length != 0) return refuse(invalid_message_length);  // 4.4.1: never both
    submit.from_payload_tlv = optional.payload.has_value();
    auto payload = optional.payload.value_or(short_message);

    if (priority > 3) return refuse(invalid_priority);
    if ((submit.registered_delivery & 0x03U) == 3 || (submit.registered_delivery & 0xE0U) != 0) return refuse(invalid_registered_delivery);
    if (!is_time(schedule)) return refuse(invalid_schedule);
    if (!is_time(validity)) return refuse(invalid_validity);
    if (submit.destination.size() < 3 || !is_digits(submit.destination)) return refuse(invalid_destination);

    if ((submit.esm_class & 0x40U) != 0) {
        if (!read_user_data_header(payload, submit)) return refuse(invalid_esm_class);
        payload.remove_prefix(submit.header_octets);
    }
    if (optional.reference && optional.total && optional.index) {
        if (submit.place.joining != Joining::none) return refuse(invalid_optional_parameter);
        submit.place = {Joining::sar, *optional.reference, *optional.total, *optional.index};
    }
    if (submit.place.total == 0 || submit.place.index == 0 || submit.place.index > submit.place.total)
        return refuse(submit.place.joining == Joining::sar ? invalid_optional_parameter : invalid_esm_class);
    submit.payload = payload;
    return reading;
}

std::size_t air_octets(const Submit& submit, bool septets) {
    // The message centre builds the header of SAR parts itself: 7 octets with their 16-bit reference, but handsets get the short form
    // of 6 when the reference fits into a byte; the smaller is assumed so that neither choice of a sender is refused.
    const auto header = submit.place.joining == Joining::sar ? std::size_t{6} : submit.header_octets;
    if (!septets) return header + submit.payload.size();
    const auto header_septets = (header * 8 + 6) / 7;
    return ((header_septets + submit.payload.size()) * 7 + 7) / 8;
}

PduWriter::PduWriter(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence) : out_{out}, start_{out.size()} {
    u32(0);
    u32(command);
    u32(status);
    u32(sequence);
}

void PduWriter::u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8U));
    u8(static_cast<std::uint8_t>(value));
}

void PduWriter::u32(std::uint32_t value) {
    const char bytes[4] = {static_cast<char>(value >> 24U), static_cast<char>(value >> 16U), static_cast<char>(value >> 8U), static_cast<char>(value)};
    out_.append(bytes, 4);
}

void PduWriter::tlv(Tag tag, std::string_view value) {
    u16(tag);
    u16(static_cast<std::uint16_t>(value.size()));
    octets(value);
}

void PduWriter::end() {
    const auto length = static_cast<std::uint32_t>(out_.size() - start_);
    for (std::size_t i = 0; i < 4; ++i) out_[start_ + i] = static_cast<char>(length >> (24U - 8U * i));
}

void append_bare(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence) {
    const PduWriter pdu{out, command, status, sequence};
}

void append_deliver(std::string& out, std::uint32_t sequence, const Deliver& deliver) {
    PduWriter pdu{out, deliver_sm, ok, sequence};
    pdu.c_octets("");
    pdu.u8(deliver.source_ton);
    pdu.u8(deliver.source_npi);
    pdu.c_octets(deliver.source);
    pdu.u8(deliver.destination_ton);
    pdu.u8(deliver.destination_npi);
    pdu.c_octets(deliver.destination);
    pdu.u8(deliver.esm_class);
    pdu.u8(0);         // protocol_id
    pdu.u8(0);         // priority_flag
    pdu.c_octets("");  // schedule_delivery_time
    pdu.c_octets("");  // validity_period
    pdu.u8(0);         // registered_delivery
    pdu.u8(0);         // replace_if_present_flag
    pdu.u8(deliver.data_coding);
    pdu.u8(0);  // sm_default_msg_id
    pdu.u8(static_cast<std::uint8_t>(deliver.short_message.size()));
    pdu.octets(deliver.short_message);
    if (!deliver.receipted_id.empty()) {
        pdu.u16(receipted_message_id);
        pdu.u16(static_cast<std::uint16_t>(deliver.receipted_id.size() + 1));
        pdu.c_octets(deliver.receipted_id);
        const char state = static_cast<char>(deliver.state);
        pdu.tlv(message_state, {&state, 1});
        if (!deliver.network_error.empty()) pdu.tlv(network_error_code, deliver.network_error);
    }
}

}  // namespace touchgate::sandbox::smpp
