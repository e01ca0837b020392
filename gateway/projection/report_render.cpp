// A report as JSON, CSV and text.
#include <algorithm>
#include <cmath>

#include "gateway/base/currency.hpp"
#include "gateway/base/text.hpp"
#include "gateway/projection/json_text.hpp"
#include "gateway/projection/report.hpp"

namespace touchgate::projection {

namespace {

std::string shortest_text(double value) {
    char digits[40];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

void append_cell(JsonText& json, std::string_view name, const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) json.text(name, *text);
    else if (const auto* count = std::get_if<std::int64_t>(&cell)) json.number(name, *count);
    else if (const auto* decimal = std::get_if<double>(&cell); decimal != nullptr && std::isfinite(*decimal)) json.decimal(name, *decimal);
    else if (const auto* money = std::get_if<Money>(&cell)) json.raw(name, decimal_text(money->units, money->digits));
    else json.null(name);
}

// Members of one object; names with dots that follow each other and begin alike are members of an object within.
class NestedMembers {
public:
    explicit NestedMembers(JsonText& json) : json_{json} {}
    ~NestedMembers() { leave(0); }
    NestedMembers(const NestedMembers&) = delete;
    NestedMembers& operator=(const NestedMembers&) = delete;
    void add(std::string_view name, const Cell& cell) {
        const auto steps = split(name, '.');
        std::size_t common = 0;
        while (common < open_.size() && common + 1 < steps.size() && open_[common] == steps[common]) ++common;
        leave(common);
        for (; common + 1 < steps.size(); ++common) {
            json_.open_object(steps[common]);
            open_.emplace_back(steps[common]);
        }
        append_cell(json_, steps.back(), cell);
    }

private:
    void leave(std::size_t depth) {
        for (; open_.size() > depth; open_.pop_back()) json_.close_object();
    }
    JsonText& json_;
    std::vector<std::string> open_;
};

const std::string& heading(const ReportColumn& column, std::string_view lang) { return lang == "zh-CN" && !column.zh.empty() ? column.zh : column.name; }

// Columns that a terminal gives to the text: two for Chinese and other wide characters.
std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    for (const char32_t c : to_code_points(text)) width += (c >= 0x1100 && (c <= 0x115F || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60))) ? 2 : 1;
    return width;
}

}  // namespace

std::string cell_text(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* count = std::get_if<std::int64_t>(&cell)) return std::to_string(*count);
    if (const auto* decimal = std::get_if<double>(&cell)) return shortest_text(*decimal);
    if (const auto* money = std::get_if<Money>(&cell)) return decimal_text(money->units, money->digits);
    return {};
}

std::string report_json(const Report& report) {
    std::string out;
    JsonText json{out};
    json.open_object();
    json.text("report", report.name);
    if (report.from) json.instant("from", *report.from);
    else json.null("from");
    if (report.to) json.instant("to", *report.to);
    else json.null("to");
    json.text("tz", report.tz);
    json.open_object("filters");
    for (const auto& [name, value] : report.filters) json.text(name, value);
    json.close_object();
    json.number("seq", static_cast<std::int64_t>(report.sequence));
    json.open_array("rows");
    for (const auto& row : report.rows) {
        json.open_object();
        {
            NestedMembers members{json};
            for (std::size_t i = 0; i < row.size() && i < report.columns.size(); ++i) members.add(report.columns[i].name, row[i]);
        }
        json.close_object();
    }
    json.close_array();
    json.open_object("totals");
    {
        NestedMembers members{json};
        for (const auto& [name, value] : report.totals) members.add(name, value);
    }
    json.close_object();
    json.close_object();
    return out;
}

void append_csv_cell(std::string& out, std::string_view text) {
    constexpr std::string_view runs_as_formula = "=+-@\t\r";
    const bool guarded = !text.empty() && runs_as_formula.find(text.front()) != std::string_view::npos;
    const bool quoted = guarded || text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (!quoted) {
        out += text;
        return;
    }
    out += '"';
    if (guarded) out += '\'';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

std::string report_csv(const Report& report, std::string_view lang, bool bom) {
    std::string out = bom ? "\xEF\xBB\xBF" : "";
    const auto end_line = [&](std::size_t i) { out += i + 1 == report.columns.size() ? "\r\n" : ","; };
    for (std::size_t i = 0; i < report.columns.size(); ++i) {
        append_csv_cell(out, heading(report.columns[i], lang));
        end_line(i);
    }
    for (const auto& row : report.rows)
        for (std::size_t i = 0; i < report.columns.size(); ++i) {
            const Cell cell = i < row.size() ? row[i] : Cell{};
            // Numbers of ours are no formulas, also below zero.
            if (std::holds_alternative<std::string>(cell)) append_csv_cell(out, std::get<std::string>(cell));
            else out += cell_text(cell);
            end_line(i);
        }
    return out;
}

std::string table_text(const std::vector<ReportColumn>& columns, const std::vector<std::vector<Cell>>& rows, std::string_view lang) {
    std::vector<std::vector<std::string>> lines;
    auto& head = lines.emplace_back();
    for (const auto& column : columns) head.push_back(heading(column, lang));
    for (const auto& row : rows) {
        auto& line = lines.emplace_back();
        for (const auto& cell : row) line.push_back(std::holds_alternative<std::monostate>(cell) ? "-" : cell_text(cell));
    }
    std::vector<std::size_t> widths(columns.size());
    for (const auto& line : lines)
        for (std::size_t i = 0; i < line.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
    std::string out;
    for (std::size_t at = 0; at < lines.size(); ++at) {
        std::string text;
        for (std::size_t i = 0; i < lines[at].size() && i < widths.size(); ++i) {
            const std::string pad(widths[i] - width_of(lines[at][i]), ' ');
            const bool right = at > 0 ? !std::holds_alternative<std::string>(rows[at - 1][i]) && !std::holds_alternative<std::monostate>(rows[at - 1][i])
                                      : !rows.empty() && !std::holds_alternative<std::string>(rows[0][i]);
            text += (i == 0 ? "" : "  ") + (right ? pad + lines[at][i] : lines[at][i] + pad);
        }
        while (!text.empty() && text.back() == ' ') text.pop_back();
        out += text + "\n";
    }
    if (rows.empty()) out += lang == "zh-CN" ? "(没有数据)\n" : "(nothing)\n";
    return out;
}

std::string report_text(const Report& report, std::string_view lang) {
    const bool chinese = lang == "zh-CN";
    std::string out = (chinese ? "报表 " : "report ") + report.name;
    if (report.from) out += (chinese ? "  从 " : "  from ") + format_instant(*report.from);
    if (report.to) out += (chinese ? "  至 " : "  to ") + format_instant(*report.to);
    out += "  " + report.tz + "\n";
    for (const auto& [name, value] : report.filters) out += "  " + name + " = " + value + "\n";
    out += '\n' + table_text(report.columns, report.rows, lang);
    out += chinese ? "\n合计" : "\ntotal";
    for (const auto& [name, value] : report.totals) {
        const auto column = std::find_if(report.columns.begin(), report.columns.end(), [&, key = name](const auto& c) { return c.name == key; });
        out += "  " + (column == report.columns.end() ? name : heading(*column, lang)) + " " + (std::holds_alternative<std::monostate>(value) ? "-" : cell_text(value));
    }
    out += '\n';
    return out;
}

}  // namespace touchgate::projection
