#include "gateway/app/desk_settings.hpp"

#include <filesystem>

#include "gateway/routing/definitions.hpp"

namespace touchgate::app {

namespace {

void read_connections(JsonReader& reader, Config& config) {
    auto agents = reader.object("agents");
    if (!agents) return;
    auto& rules = config.engine.agents;
    auto& options = config.http.agents;
    constexpr Duration minute{60'000};
    rules.lease = agents->duration("lease", rules.lease, Duration{2'000}, 10 * minute);  // from three heartbeats on: they come faster for a shorter one
    options.lease = rules.lease;
    rules.grace = agents->duration("grace", rules.grace, Duration{0}, 60 * minute);
    rules.require_health = agents->boolean("require_health", rules.require_health);
    options.origins = agents->texts("origins");
    options.token_ttl_max = std::chrono::hours{24 * 366};
    options.token_ttl = agents->duration("token_ttl", options.token_ttl, Duration{1'000}, options.token_ttl_max);
    options.connections_per_agent = static_cast<std::size_t>(agents->integer("connections_per_agent", static_cast<std::int64_t>(options.connections_per_agent), 1, 1'000));
    options.connections_max = static_cast<std::size_t>(agents->integer("connections", static_cast<std::int64_t>(options.connections_max), 1, 1'000'000));
    if (auto softphone = agents->object("softphone")) {
        (void)softphone->required_text("uri");
        (void)softphone->required_text("websocket");
        (void)softphone->text("password");
        (void)softphone->raw("ice");
        softphone->finish();
        rules.softphone = softphone->value();
    }
    agents->finish();
}

// Calls `take` with each declaration of an array: its id, the document, what is wrong with it.
template <class Take> void declarations(const Json& array, const std::string& pointer, std::vector<Problem>& problems, Take take) {
    if (!array.is_array()) {
        problems.push_back({pointer, "must be an array of objects, each with its id"});
        return;
    }
    for (std::size_t i = 0; i < array.size(); ++i) {
        const auto here = pointer_to(pointer, i);
        const auto& entry = array[i];
        const auto id = entry.is_object() ? entry.find("id") : entry.end();
        if (!entry.is_object() || id == entry.end() || !id->is_string() || id->get_ref<const std::string&>().empty()) {
            problems.push_back({pointer_to(here, "id"), "is required: the name by which it is known"});
            continue;
        }
        std::vector<Problem> found;
        auto document = entry;
        document.erase("id");
        if (!take(id->get<std::string>(), std::move(document), found)) found.push_back({"/id", "was declared before"});
        for (auto& problem : found) problems.push_back({here + problem.pointer, std::move(problem.detail)});
    }
}

void read_agents_file(const std::string& name, Config& config, std::vector<FileProblem>& files) {
    const std::filesystem::path named{name};
    const auto path = named.is_absolute() ? name : (std::filesystem::path{config.root} / named).lexically_normal().string();
    const auto bytes = read_file(path);
    if (!bytes) {
        files.push_back({config.path, "/agents_file", "the file " + path + " cannot be read"});
        return;
    }
    const auto parsed = parse_json_with_comments(*bytes);
    if (!parsed) {
        files.push_back({path, {}, parsed.error().detail});
        return;
    }
    std::vector<Problem> problems;
    declarations(*parsed, {}, problems, [&](std::string id, Json document, std::vector<Problem>& found) {
        (void)routing::parse_agent(id, document, found);
        return config.agents.emplace(std::move(id), std::move(document)).second;
    });
    for (auto& problem : problems) files.push_back({path, std::move(problem.pointer), std::move(problem.detail)});
}

}  // namespace

void read_desk_settings(JsonReader& reader, Config& config, std::vector<FileProblem>& files) {
    read_connections(reader, config);
    if (const auto* queues = reader.raw("queues"))
        declarations(*queues, "/queues", reader.problems(), [&](std::string id, Json document, std::vector<Problem>& found) {
            (void)routing::parse_queue(id, document, found);
            auto& known = config.engine.queues;
            if (std::any_of(known.begin(), known.end(), [&](const auto& each) { return each.first == id; })) return false;
            known.emplace_back(std::move(id), std::move(document));
            return true;
        });
    if (const auto file = reader.text("agents_file"); !file.empty()) read_agents_file(file, config, files);
}

}  // namespace touchgate::app
