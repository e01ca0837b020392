#include "gateway/app/texts.hpp"

#include <cstdlib>
#include <map>

namespace touchgate::app {

namespace {

struct Pair { const char* en; const char* zh; };

const std::map<std::string_view, Pair>& catalogue() {
    static const std::map<std::string_view, Pair> texts = {
        {"app", {"Omnichannel contact-center and touch gateway", "全渠道联络中心与触达网关"}},
        {"serve", {"Run the gateway (SIGTERM drains, SIGHUP reloads policy and templates)", "运行网关（SIGTERM 平稳停止，SIGHUP 重新加载策略与模板）"}},
        {"check", {"Check configuration, policy and templates: every problem at once", "检查配置、策略与模板：一次列出全部问题"}},
        {"check.probe", {"Also log in to every account", "同时登录每个账号"}},
        {"check.ok", {"ok: configuration, policy and templates are in order", "正常：配置、策略与模板均无问题"}},
        {"sandbox", {"Play the channels: a simulated SMSC and SMS clouds with customers", "模拟各渠道：短信中心、云短信平台与客户"}},
        {"key", {"API keys", "API 密钥"}},
        {"key.new", {"Make an API key; only its hash goes into the configuration", "生成 API 密钥；配置中只存其哈希"}},
        {"key.shown", {"The key, shown only now:", "密钥（仅此一次显示）："}},
        {"key.config", {"For api_keys in the configuration:", "写入配置的 api_keys："}},
        {"log", {"Look at the touch log", "查看触达日志"}},
        {"log.verify", {"Find any changed, removed, swapped or inserted record", "查出任何被改动、删除、调换或插入的记录"}},
        {"log.cat", {"Print every record as NDJSON", "以 NDJSON 输出全部记录"}},
        {"log.archive", {"Move sealed segments to another folder, where reads still find them", "将已封存的日志段移到归档目录，仍可读取"}},
        {"log.rebuild", {"Delete the projection and build it anew from the log", "删除投影库并由日志重建"}},
        {"policy", {"Explain, test and replay policies", "解释、测试与回放策略"}},
        {"policy.test", {"Run a policy's own cases", "运行策略自带的用例"}},
        {"policy.explain", {"Say why a touch was allowed, deferred or blocked", "说明某次触达为何放行、推迟或拦截"}},
        {"explain.as_logged", {"as logged, without the touches that were counted", "按日志显示，不含被计数的触达"}},
        {"policy.replay", {"Run the log against another policy and show what would have changed", "用另一策略重放日志，显示会有哪些变化"}},
        {"replay.exit", {"Exit status: 0 done, 1 the policy has problems (all are listed), 2 it cannot be run (options, configuration, data folder, rows file). Progress is told on stderr.",
                         "退出码：0 完成；1 策略有问题（全部列出）；2 无法执行（选项、配置、数据目录或明细文件）。进度输出到 stderr。"}},
        {"replay.option.policy", {"The policy document to try", "要试用的策略文件"}},
        {"replay.option.from", {"Only touches first decided at or after this time (2026-11-01T00:00:00Z); earlier attempts still count", "仅重放此时刻（含）之后首次判定的触达（2026-11-01T00:00:00Z）；更早的触达仍计入频次"}},
        {"replay.option.to", {"Only touches first decided before this time", "仅重放此时刻之前首次判定的触达"}},
        {"replay.option.history", {"What counts as sent before: what this policy would have sent (simulated), or the attempts as logged", "先前触达的依据：simulated 按该策略推演，logged 按日志实际记录"}},
        {"replay.option.rows", {"Write one NDJSON line for every touch to this file", "将每条触达的结果以 NDJSON 写入该文件"}},
        {"replay.unreadable", {"the policy file cannot be read", "无法读取策略文件"}},
        {"replay.unwritable", {"the file cannot be written", "无法写入文件"}},
        {"replay.times", {"--from and --to must be times such as 2026-11-01T00:00:00Z, --to later than --from", "--from 与 --to 须为 2026-11-01T00:00:00Z 形式的时刻，且 --to 晚于 --from"}},
        {"replay.progress", {"replayed", "已重放"}},
        {"replay.policy", {"policy", "策略"}},
        {"replay.simulated", {"(history as this policy would have made it)", "（历史按该策略推演）"}},
        {"replay.logged", {"(history as logged)", "（历史按日志记录）"}},
        {"replay.touches", {"touches", "触达"}},
        {"replay.was_would", {"was \\ would be", "原判定 \\ 新判定"}},
        {"replay.was", {"was", "原判定合计"}},
        {"replay.would", {"would be", "新判定合计"}},
        {"replay.allow", {"allow", "放行"}},
        {"replay.defer", {"defer", "推迟"}},
        {"replay.deny", {"deny", "拦截"}},
        {"replay.changed", {"touches with another verdict:", "判定改变的触达："}},
        {"replay.erased", {"of contacts that were erased since (taken as they were):", "其联系人已被删除（沿用原判定）："}},
        {"replay.rule", {"rule", "规则"}},
        {"replay.campaign", {"campaign", "活动"}},
        {"replay.difference", {"+/-", "增减"}},
        {"replay.was_allow", {"was allowed", "原放行"}},
        {"replay.would_allow", {"would be allowed", "新放行"}},
        {"replay.was_defer", {"was deferred", "原推迟"}},
        {"replay.would_defer", {"would be deferred", "新推迟"}},
        {"replay.was_deny", {"was denied", "原拦截"}},
        {"replay.would_deny", {"would be denied", "新拦截"}},
        {"report", {"Print a report", "输出报表"}},
        {"report.verify", {"Also make the figures anew from the first event of the log and name every cell that differs (exit 1)", "另由日志首条事件重新计算，列出所有不一致的单元格（退出码 1）"}},
        {"report.verified", {"verified: every figure follows from the log up to event {}", "已核对：截至事件 {} 的日志得出全部相同数字"}},
        {"report.differs", {"differs: {}, {}: the projection says {}, the log says {}", "不一致：{}，{}：投影为 {}，日志为 {}"}},
        {"report.row_differs", {"differs: row {}{}: {} in the projection, {} by the log", "不一致：行 {}{}：投影中为 {}，日志得出为 {}"}},
        {"report.input", {"uplift: a CSV file of an experiment in place of the log", "uplift：以实验的 CSV 文件代替日志"}},
        {"report.arm", {"Column that names the arm", "标明实验组的列"}},
        {"report.control", {"Its value that means the control group", "该列中表示对照组的值"}},
        {"report.outcome", {"Column with an outcome as a number; may be repeated", "数值指标所在列，可重复"}},
        {"export", {"Export touches or events as NDJSON or CSV", "以 NDJSON 或 CSV 导出触达或事件"}},
        {"import", {"Import contacts, consents, suppressions, conversions, leads or their results through the running gateway", "通过运行中的网关导入联系人、同意记录、禁呼名单、转化、线索或线索结果"}},
        {"import.done", {"taken: {} of {}, rejected: {}", "成功 {} / 共 {}，拒绝 {}"}},
        {"routing", {"The routing of calls and conversations", "来电与会话的路由"}},
        {"routing.replay", {"Run the callers of the log against more agents or another strategy", "用更多坐席或另一策略重放日志中的来电与会话"}},
        {"routing.option.from", {"Only what came at or after this time (2026-11-01T00:00:00Z)", "仅重放此时刻（含）之后到达的来电与会话（2026-11-01T00:00:00Z）"}},
        {"routing.option.to", {"Only what came before this time", "仅重放此时刻之前到达的来电与会话"}},
        {"routing.option.agents", {"More agents of a queue, always ready: +2:care; may be given several times", "为队列增加始终就绪的坐席：+2:care；可重复给出"}},
        {"routing.option.strategy", {"Another strategy of a queue: care=ring_all; may be given several times", "改变队列的策略：care=ring_all；可重复给出"}},
        {"routing.option.runs", {"Runs with different draws, for the intervals", "用于估计区间的模拟次数"}},
        {"routing.bad_agents", {"--agents must be +N:QUEUE, such as +2:care", "--agents 须为 +N:队列，例如 +2:care"}},
        {"routing.bad_strategy", {"--strategy must be QUEUE=STRATEGY, such as care=longest_idle", "--strategy 须为 队列=策略，例如 care=longest_idle"}},
        {"routing.head", {"as logged; simulated as it was [95 %]; with the change [95 %]; difference [95 %]", "日志实际；按原状模拟 [95 %]；改变后 [95 %]；差值 [95 %]"}},
        {"routing.all", {"all queues", "全部队列"}},
        {"routing.offered", {"offered", "进入队列"}},
        {"routing.service_level", {"service level %", "服务水平 %"}},
        {"routing.asa", {"answered after, s", "平均应答时间（秒）"}},
        {"routing.abandonment", {"abandoned %", "放弃率 %"}},
        {"routing.occupancy", {"occupancy %", "占用率 %"}},
        {"routing.rona", {"offers not answered", "未应答次数"}},
        {"campaign", {"Campaigns through the running gateway", "通过运行中的网关管理活动"}},
        {"campaign.create", {"Make a campaign from its JSON definition", "由 JSON 定义创建活动"}},
        {"campaign.audience", {"Add the recipients in an NDJSON file", "添加 NDJSON 文件中的收件人"}},
        {"campaign.remove", {"Remove the recipients in an NDJSON file", "移除 NDJSON 文件中的收件人"}},
        {"campaign.preview", {"What would be sent, when and at what cost; nothing is written", "预览：发送哪些、何时、费用多少；不写入任何内容"}},
        {"campaign.start", {"Freeze the audience and begin", "冻结受众并开始"}},
        {"campaign.pause", {"Hold everything that is not on its way", "暂停所有尚未发出的触达"}},
        {"campaign.resume", {"Go on after a pause", "恢复已暂停的活动"}},
        {"campaign.cancel", {"End it at once", "立即终止"}},
        {"campaign.show", {"State and counts", "状态与计数"}},
        {"campaign.list", {"All campaigns: id, state, size, pending", "全部活动：编号、状态、规模、待发"}},
        {"campaign.watch", {"Show progress until it rests", "持续显示进度直到结束或暂停"}},
        {"campaign.added", {"added: {}, duplicates: {}, rejected: {}", "新增 {}，重复 {}，拒绝 {}"}},
        {"campaign.removed", {"removed: {}, not found: {}, rejected: {}", "移除 {}，未找到 {}，拒绝 {}"}},
        {"campaign.allow", {"may go now", "现在可发"}},
        {"campaign.defer", {"later", "推迟"}},
        {"campaign.deny", {"blocked", "拦截"}},
        {"campaign.held_out", {"control group", "对照组"}},
        {"campaign.missing_variable", {"a variable is missing", "缺少变量"}},
        {"campaign.messages", {"messages", "消息数"}},
        {"campaign.segments", {"segments", "计费条数"}},
        {"campaign.cost", {"cost", "费用"}},
        {"campaign.finish", {"finished at the earliest", "最早完成时间"}},
        {"campaign.overlap", {"contacts also in {}", "同时在 {} 中的联系人"}},
        {"campaign.size", {"recipients", "收件人"}},
        {"campaign.arm", {"arm {}", "分组 {}"}},
        {"campaign.state.draft", {"draft", "草稿"}},
        {"campaign.state.running", {"running", "进行中"}},
        {"campaign.state.paused", {"paused", "已暂停"}},
        {"campaign.state.finished", {"finished", "已完成"}},
        {"campaign.state.cancelled", {"cancelled", "已取消"}},
        {"campaign.count.pending", {"pending", "待发"}},
        {"campaign.count.queued", {"queued", "排队"}},
        {"campaign.count.deferred", {"deferred", "推迟"}},
        {"campaign.count.blocked", {"blocked", "拦截"}},
        {"campaign.count.held_out", {"held out", "对照组"}},
        {"campaign.count.dispatching", {"dispatching", "发送中"}},
        {"campaign.count.accepted", {"accepted", "已受理"}},
        {"campaign.count.delivered", {"delivered", "已送达"}},
        {"campaign.count.read", {"read", "已读"}},
        {"campaign.count.replied", {"replied", "已回复"}},
        {"campaign.count.completed", {"completed", "已完成"}},
        {"campaign.count.failed", {"failed", "失败"}},
        {"campaign.count.unknown", {"unknown", "未知"}},
        {"campaign.count.cancelled", {"cancelled", "已取消"}},
        {"campaign.count.expired", {"expired", "已过期"}},
        {"option.config", {"Configuration file", "配置文件"}},
        {"option.lang", {"Language of messages: en or zh-CN", "消息语言：en 或 zh-CN"}},
        {"option.json", {"Machine-readable output", "输出 JSON 供程序读取"}},
    };
    return texts;
}

}  // namespace

std::string language_of_system() {
    for (const char* variable : {"TOUCHGATE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"})
        if (const char* value = std::getenv(variable); value != nullptr && *value != '\0') return std::string_view{value}.starts_with("zh") ? "zh-CN" : "en";
    return "en";
}

std::string text(std::string_view key, std::string_view lang) {
    const auto found = catalogue().find(key);
    if (found == catalogue().end()) return std::string{key};
    return lang.starts_with("zh") ? found->second.zh : found->second.en;
}

}  // namespace touchgate::app
