#include "adapters/wechat/element.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <pugixml.hpp>

#include "gateway/base/text.hpp"
#include "gateway/json/json.hpp"
#include "gateway/json/scalars.hpp"

namespace touchgate::adapters::wechat {

namespace {

// Declarations are parsed so that they can be seen and refused; text beside the root as well.
constexpr unsigned parse_options = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_doctype | pugi::parse_fragment;

std::optional<Element> from_xml(const pugi::xml_node& node, int depth) {
    if (depth > depth_max) return std::nullopt;
    Element element{.name = node.name()};
    for (const auto& part : node) {
        switch (part.type()) {
            case pugi::node_pcdata:
            case pugi::node_cdata: element.text += part.value(); break;
            case pugi::node_element: {
                auto child = from_xml(part, depth + 1);
                if (!child) return std::nullopt;
                element.children.push_back(std::move(*child));
                break;
            }
            default: return std::nullopt;
        }
    }
    // A reference may stand for half a surrogate pair.
    if (!is_valid_utf8(element.name) || !is_valid_utf8(element.text)) return std::nullopt;
    return element;
}

bool add_json(Element& parent, const std::string& name, const Json& value, int depth) {
    if (depth > depth_max) return false;
    if (value.is_array()) return std::all_of(value.begin(), value.end(), [&](const Json& each) { return add_json(parent, name, each, depth + 1); });
    Element element{.name = name, .text = scalar_text(value).value_or(std::string{})};
    if (value.is_object())
        for (const auto& [key, each] : value.items())
            if (!add_json(element, key, each, depth + 1)) return false;
    parent.children.push_back(std::move(element));
    return true;
}

Json to_json(const Element& element) {
    if (element.children.empty()) return element.text;
    std::map<std::string_view, std::size_t> counts;
    for (const auto& child : element.children) ++counts[child.name];
    Json object = Json::object();
    for (const auto& child : element.children) {
        if (counts[child.name] > 1) object[child.name].push_back(to_json(child));
        else object[child.name] = to_json(child);
    }
    return object;
}

}  // namespace

const Element* Element::child(std::string_view child_name) const {
    const auto found = std::find_if(children.begin(), children.end(), [&](const Element& each) { return each.name == child_name; });
    return found == children.end() ? nullptr : &*found;
}

std::string_view Element::text_of(std::string_view child_name) const {
    const auto* found = child(child_name);
    return found == nullptr ? std::string_view{} : std::string_view{found->text};
}

std::vector<const Element*> Element::all(std::string_view child_name) const {
    std::vector<const Element*> found;
    for (const auto& each : children)
        if (each.name == child_name) found.push_back(&each);
    return found;
}

std::optional<Element> read_xml(std::string_view text) {
    // The parser takes a zero byte for the end.
    if (text.size() > document_bytes_max || !is_valid_utf8(text) || text.find('\0') != std::string_view::npos) return std::nullopt;
    pugi::xml_document document;
    if (!document.load_buffer(text.data(), text.size(), parse_options, pugi::encoding_utf8)) return std::nullopt;
    pugi::xml_node root;
    for (const auto& node : document) {
        if (node.type() == pugi::node_pcdata && trim(node.value()).empty()) continue;
        if (node.type() != pugi::node_element || root) return std::nullopt;
        root = node;
    }
    return root ? from_xml(root, 1) : std::nullopt;
}

std::optional<Element> read_json(std::string_view text) {
    if (text.size() > document_bytes_max) return std::nullopt;
    const auto parsed = parse_json(text);
    if (!parsed || !parsed.value().is_object()) return std::nullopt;
    Element holder{.name = {}};
    if (!add_json(holder, "xml", parsed.value(), 1)) return std::nullopt;
    return std::move(holder.children.front());
}

std::string to_body_json(const Element& element, std::initializer_list<std::string_view> without) {
    Element kept{.name = element.name};
    for (const auto& child : element.children)
        if (std::find(without.begin(), without.end(), child.name) == without.end()) kept.children.push_back(child);
    return kept.children.empty() ? "{}" : to_json(kept).dump();
}

std::optional<Instant> read_unix_time(std::string_view digits) {
    constexpr std::int64_t seconds_end = 253'402'300'800;  // the year 10000
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) return std::nullopt;
    // The first milliseconds that are taken for such are of March 1973.
    constexpr std::int64_t first_milliseconds = 100'000'000'000;
    if (value >= first_milliseconds) return value / 1000 < seconds_end ? std::optional{from_unix_ms(value)} : std::nullopt;
    return from_unix_ms(value * 1000);
}

}  // namespace touchgate::adapters::wechat
