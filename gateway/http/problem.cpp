#include "gateway/http/problem.hpp"

#include <algorithm>
#include <cstdlib>

#include "gateway/base/text.hpp"

namespace touchgate::http {

namespace {

struct Titles {
    std::string_view english, chinese;
};

Titles titles(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::malformed: return {"The request cannot be read", "请求无法读取"};
        case ErrorKind::unauthorized: return {"No valid API key", "缺少有效的 API 密钥"};
        case ErrorKind::forbidden: return {"Not allowed with this API key", "该 API 密钥没有权限"};
        case ErrorKind::not_found: return {"There is no such thing", "对象不存在"};
        case ErrorKind::not_allowed: return {"The resource has no such method", "该资源不支持此方法"};
        case ErrorKind::conflict: return {"In conflict with what is there", "与现有数据冲突"};
        case ErrorKind::too_large: return {"The request body is too large", "请求体过大"};
        case ErrorKind::unsupported: return {"The media type is not supported", "不支持的媒体类型"};
        case ErrorKind::invalid_input: return {"Some fields are not valid", "部分字段无效"};
        case ErrorKind::rate_limited: return {"Too many requests", "请求过于频繁"};
        case ErrorKind::unavailable: return {"Not available just now", "服务暂时不可用"};
        case ErrorKind::corrupt: return {"Internal error", "内部错误"};
    }
    return {"Internal error", "内部错误"};
}

void append_problems(std::string& out, const std::vector<Problem>& problems) {
    out += ",\"errors\":[";
    for (std::size_t i = 0; i < problems.size(); ++i) {
        if (i > 0) out += ',';
        out += "{\"pointer\":";
        append_json_string(out, problems[i].pointer);
        out += ",\"detail\":";
        append_json_string(out, problems[i].detail);
        out += '}';
    }
    out += ']';
}

void append_members(std::string& out, const Error& error, Language language, std::string_view reference_name, int status) {
    out += "\"title\":";
    append_json_string(out, problem_title(error.kind, language));
    out += ",\"status\":" + std::to_string(status) + ",\"detail\":";
    append_json_string(out, error.detail);
    if (!error.problems.empty()) append_problems(out, error.problems);
    if (!error.reference.empty() && !reference_name.empty()) {
        out += ',';
        append_json_string(out, reference_name);
        out += ':';
        append_json_string(out, error.reference);
    }
}

}  // namespace

Language preferred_language(std::string_view accept_language) {
    double english = 0;
    double chinese = 0;
    for (auto part : split(accept_language, ',')) {
        part = trim(part);
        double quality = 1;
        if (const auto at = part.find(";q="); at != std::string_view::npos) {
            quality = std::strtod(std::string{part.substr(at + 3, 5)}.c_str(), nullptr);
            part = part.substr(0, at);
        }
        const auto tag = to_lower_ascii(part.substr(0, 2));
        if (tag == "zh") chinese = std::max(chinese, quality);
        else if (tag == "en") english = std::max(english, quality);
    }
    return chinese > english ? Language::chinese : Language::english;
}

std::string_view problem_title(ErrorKind kind, Language language) {
    const auto both = titles(kind);
    return language == Language::chinese ? both.chinese : both.english;
}

Response problem(const Error& error, Language language, std::string_view reference_name, int status) {
    Response response;
    response.status = status != 0 ? status : http_status(error.kind);
    response.content_type = "application/problem+json";
    response.body = "{\"type\":\"urn:touchgate:";
    response.body += problem_slug(error.kind);
    response.body += "\",";
    append_members(response.body, error, language, reference_name, response.status);
    response.body += '}';
    if (response.status == 429 || response.status == 503)
        response.headers.emplace_back("Retry-After", std::to_string(std::max(1, error.retry_after_s)));
    if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

void append_line_error(std::string& out, const Error& error, std::string_view reference_name) {
    out += '{';
    append_members(out, error, Language::english, reference_name, http_status(error.kind));
    out += '}';
}

}  // namespace touchgate::http
