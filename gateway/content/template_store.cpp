#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

#include "gateway/content/templates.hpp"

namespace touchgate::content {

TemplateStore TemplateStore::load(const std::filesystem::path& folder, std::vector<FileProblems>& problems, const TemplateStore* previous) {
    TemplateStore store;
    if (previous != nullptr) store.by_hash_ = previous->by_hash_;
    std::vector<std::filesystem::path> files;
    std::error_code failure;
    for (std::filesystem::directory_iterator at{folder, failure}, end; !failure && at != end; at.increment(failure)) {
        const auto name = at->path().filename().string();
        if (name.ends_with(".json") && !name.ends_with(".schema.json")) files.push_back(at->path());
    }
    if (failure) {
        problems.push_back({folder.string(), {{"", "the folder cannot be read: " + failure.message()}}});
        return store;
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::ifstream stream{file, std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
        FileProblems found{.file = file.string(), .problems = {}};
        if (!stream.is_open() || stream.bad()) found.problems.push_back({"", "the file cannot be read"});
        else if (auto parsed = Template::parse(bytes, file.stem().string(), found.problems)) store.add(std::move(parsed));
        if (!found.problems.empty()) problems.push_back(std::move(found));
    }
    return store;
}

void TemplateStore::add(std::shared_ptr<const Template> added) {
    by_hash_[added->hash()] = added;
    auto& place = by_name_[added->name()];
    place = std::move(added);
}

void TemplateStore::remember(std::shared_ptr<const Template> version) {
    const auto& hash = version->hash();
    by_hash_.try_emplace(hash, version);
}

std::shared_ptr<const Template> TemplateStore::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

std::shared_ptr<const Template> TemplateStore::find_version(std::string_view hash) const {
    const auto found = by_hash_.find(hash);
    return found == by_hash_.end() ? nullptr : found->second;
}

std::shared_ptr<const Template> TemplateStore::find_code(std::string_view template_code, std::string_view account, std::string_view adapter) const {
    for (const auto& [name, candidate] : by_name_)
        if (candidate->code_for(account, adapter) == template_code && !template_code.empty()) return candidate;
    return nullptr;
}

std::vector<std::string> TemplateStore::names() const {
    std::vector<std::string> names;
    for (const auto& [name, held] : by_name_) names.push_back(name);
    return names;
}

}  // namespace touchgate::content
