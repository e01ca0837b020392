#include "gateway/content/sms_text.hpp"

namespace touchgate::content {

namespace {

std::size_t units_of(char32_t code_point, Alphabet alphabet) {
    switch (alphabet) {
        case Alphabet::gsm: return static_cast<std::size_t>(gsm_septets(code_point));
        case Alphabet::ascii: return gsm_septets(code_point) == 2 ? 2 : 1;
        case Alphabet::latin1: return 1;
        case Alphabet::ucs2: return code_point > 0xFFFF ? 2 : 1;
    }
    return 1;
}

void append(std::string& out, char32_t code_point, Alphabet alphabet) {
    if (alphabet == Alphabet::gsm) append_gsm(out, code_point);
    else if (alphabet == Alphabet::ucs2) append_ucs2(out, code_point);
    else out.push_back(static_cast<char>(code_point));
}

bool fits(char32_t code_point, Alphabet alphabet) {
    switch (alphabet) {
        case Alphabet::gsm: return gsm_septets(code_point) > 0;
        case Alphabet::latin1: return code_point <= 0xFF;
        case Alphabet::ascii: return code_point <= 0x7F;
        case Alphabet::ucs2: return true;
    }
    return true;
}

// Calls `each(code_point, starts_part)`; the first part starts silently.
template <class Each> void cut(std::string_view utf8, Alphabet alphabet, std::size_t capacity, Each each) {
    std::size_t used = 0;
    for (std::size_t position = 0; position < utf8.size();) {
        const auto code_point = next_code_point(utf8, position);
        const auto units = units_of(code_point, alphabet);
        const bool starts_part = used + units > capacity;
        used = starts_part ? units : used + units;
        each(code_point, starts_part);
    }
}

std::size_t count_units(std::string_view utf8, Alphabet alphabet) {
    std::size_t units = 0;
    for (std::size_t position = 0; position < utf8.size();) units += units_of(next_code_point(utf8, position), alphabet);
    return units;
}

}  // namespace

PartCapacity part_capacity(Alphabet alphabet, PartHeader header) {
    const bool short_header = header == PartHeader::reference_8_bit;
    switch (alphabet) {
        case Alphabet::gsm:
        case Alphabet::ascii: return {.single = 160, .part = short_header ? std::size_t{153} : 152};
        case Alphabet::latin1: return {.single = 140, .part = short_header ? std::size_t{134} : 133};
        case Alphabet::ucs2: return {.single = 70, .part = short_header ? std::size_t{67} : 66};
    }
    return {.single = 70, .part = 66};
}

Alphabet choose_alphabet(std::string_view utf8, Alphabet preferred) {
    for (std::size_t position = 0; position < utf8.size();)
        if (!fits(next_code_point(utf8, position), preferred)) return Alphabet::ucs2;
    return preferred;
}

SmsSize measure_sms(std::string_view utf8, Alphabet preferred, PartHeader header) {
    const auto alphabet = choose_alphabet(utf8, preferred);
    const auto capacity = part_capacity(alphabet, header);
    SmsSize size{.alphabet = alphabet, .units = count_units(utf8, alphabet), .segments = 1};
    if (size.units > capacity.single) cut(utf8, alphabet, capacity.part, [&](char32_t, bool starts_part) { size.segments += starts_part ? 1 : 0; });
    return size;
}

EncodedSms encode_sms(std::string_view utf8, Alphabet preferred, PartHeader header) {
    EncodedSms encoded{.alphabet = choose_alphabet(utf8, preferred), .parts = {std::string{}}};
    const auto capacity = part_capacity(encoded.alphabet, header);
    const auto units = count_units(utf8, encoded.alphabet);
    encoded.parts.back().reserve(encoded.alphabet == Alphabet::ucs2 ? 140 : 160);
    cut(utf8, encoded.alphabet, units > capacity.single ? capacity.part : capacity.single, [&](char32_t code_point, bool starts_part) {
        if (starts_part) encoded.parts.emplace_back();
        append(encoded.parts.back(), code_point, encoded.alphabet);
    });
    return encoded;
}

}  // namespace touchgate::content
