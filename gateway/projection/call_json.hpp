// The `data` of the events of calls, but for the numbers of those who talk: these the renderer adds as the reader may see them.
#pragma once

#include "gateway/engine/events.hpp"
#include "gateway/projection/json_text.hpp"

namespace touchgate::projection {

void append_members(JsonText& json, const voice::CallStarted& event);
void append_members(JsonText& json, const voice::CallPermitted& event);
void append_members(JsonText& json, const voice::StageChanged& event);
void append_members(JsonText& json, const voice::LegAdded& event);
void append_members(JsonText& json, const voice::LegRang& event);
void append_members(JsonText& json, const voice::LegUp& event);
void append_members(JsonText& json, const voice::LegGone& event);
void append_members(JsonText& json, const voice::LegSwapped& event);
void append_members(JsonText& json, const voice::Bridged& event);
void append_members(JsonText& json, const voice::HeldChanged& event);
void append_members(JsonText& json, const voice::ConsultChanged& event);
void append_members(JsonText& json, const voice::RecordingChanged& event);
void append_members(JsonText& json, const voice::SupervisionChanged& event);
void append_members(JsonText& json, const voice::CallEnded& event);
void append_members(JsonText& json, const RecordingAccessed& event);
void append_members(JsonText& json, const RecordingDeleted& event);
void append_members(JsonText& json, const CallLineTaken& event);
void append_members(JsonText& json, const CallerIdRested& event);

}  // namespace touchgate::projection
