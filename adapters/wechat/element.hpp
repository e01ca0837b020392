// What a platform writes in XML (or JSON, which mini programs may choose) as one simple tree, and that tree as JSON.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.hpp"

namespace touchgate::adapters::wechat {

inline constexpr std::size_t document_bytes_max = 1U << 20U;
inline constexpr int depth_max = 32;  // the root is at 1

struct Element {
    std::string name;
    std::string text = {};  // its own characters, all pieces joined; references and CDATA resolved
    std::vector<Element> children = {};

    // The first child of that name, or null.
    [[nodiscard]] const Element* child(std::string_view child_name) const;
    // That child's text, or empty.
    [[nodiscard]] std::string_view text_of(std::string_view child_name) const;
    // Every child of that name, in their order.
    [[nodiscard]] std::vector<const Element*> all(std::string_view child_name) const;
};

// The root. Nothing when the text is no XML in UTF-8 with exactly one root, is too long or too deep, or has a DTD or an entity declaration, even an
// unused one.
[[nodiscard]] std::optional<Element> read_xml(std::string_view text);
// The same from a JSON object, whose root is named "xml": members are children, an array is that many children of one name.
[[nodiscard]] std::optional<Element> read_json(std::string_view text);

// The children as a JSON object: texts as strings, several of one name as an array. `without` names children of the root that are left out.
[[nodiscard]] std::string to_body_json(const Element& element, std::initializer_list<std::string_view> without = {});

// CreateTime: seconds since 1970, or milliseconds as some senders write. Nothing when it is neither or after the year 9999.
[[nodiscard]] std::optional<Instant> read_unix_time(std::string_view digits);

}  // namespace touchgate::adapters::wechat
