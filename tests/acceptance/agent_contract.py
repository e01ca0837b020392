"""docs/asyncapi.yaml against what the gateway sends: a small JSON Schema validator, and the description's messages by name."""

import json
import math
import re

from gateway import ROOT

TYPES = {"object": lambda v: isinstance(v, dict), "array": lambda v: isinstance(v, list), "string": lambda v: isinstance(v, str), "boolean": lambda v: isinstance(v, bool),
         "null": lambda v: v is None, "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v),
         "integer": lambda v: isinstance(v, int) and not isinstance(v, bool)}
FORMATS = {"uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"}
KNOWN = {"type", "required", "properties", "additionalProperties", "enum", "const", "items", "maxItems", "oneOf", "allOf", "minimum", "maximum", "pattern", "format",
         "$ref", "description", "default"}


class Contract:
    def __init__(self):
        self.document = json.loads((ROOT / "docs" / "asyncapi.yaml").read_text(encoding="utf-8"))
        self.messages = self.document["components"]["messages"]
        self.requests = {name.split(".", 1)[1]: message for name, message in self.messages.items() if name.startswith("request.")}
        self.seen = set()

    def resolve(self, schema):
        while "$ref" in schema:
            place = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            schema = place
        return schema

    def problems(self, value, schema, where=""):
        """What is wrong with the value, each with its place; nothing: it fits."""
        schema = self.resolve(schema)
        unknown = set(schema) - KNOWN
        assert not unknown, f"the validator does not know {unknown}"
        found = []
        if "type" in schema:
            types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(TYPES[each](value) for each in types):
                return [f"{where}: {value!r} is no {' or '.join(types)}"]
        if "const" in schema and value != schema["const"]:
            found.append(f"{where}: {value!r} is not {schema['const']!r}")
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{where}: {value!r} is none of {schema['enum']}")
        if isinstance(value, str):
            if "pattern" in schema and not re.search(schema["pattern"], value):
                found.append(f"{where}: {value!r} does not match {schema['pattern']}")
            if schema.get("format") in FORMATS and not re.fullmatch(FORMATS[schema["format"]], value):
                found.append(f"{where}: {value!r} is no {schema['format']}")
        if TYPES["number"](value):
            if value < schema.get("minimum", value) or value > schema.get("maximum", value):
                found.append(f"{where}: {value} is out of range")
        if isinstance(value, dict):
            found += [f"{where}/{name} is missing" for name in schema.get("required", []) if name not in value]
            for name, each in value.items():
                inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
                if inner is False:
                    found.append(f"{where}/{name} is not described")
                elif isinstance(inner, dict):
                    found += self.problems(each, inner, f"{where}/{name}")
        if isinstance(value, list):
            if len(value) > schema.get("maxItems", len(value)):
                found.append(f"{where}: too many")
            for index, each in enumerate(value):
                found += self.problems(each, schema.get("items", {}), f"{where}/{index}")
        if "oneOf" in schema:
            fitting = [each for each in schema["oneOf"] if not self.problems(value, each, where)]
            if len(fitting) != 1:
                found.append(f"{where}: {len(fitting)} of the alternatives fit: {value!r}")
        for each in schema.get("allOf", []):
            found += self.problems(value, each, where)
        return found

    def check(self, value, message):
        found = self.problems(value, self.messages[message]["payload"])
        assert not found, f"{message}: {found} in {json.dumps(value, ensure_ascii=False)[:2000]}"
        self.seen.add(message)

    def check_frame(self, frame, request_type=None):
        """A frame that the gateway sent; `request_type`: of the request that it answers."""
        if "reply_to" not in frame:
            name = "push." + frame["type"]
            assert name in self.messages, f"{frame['type']} is not described"
            undescribed = set(frame) - set(self.messages[name]["payload"]["properties"]) - {"kind", "state"}
            assert not undescribed, f"{frame['type']}: {undescribed} is not described"
            self.check(frame, name)
        elif not frame["ok"]:
            self.check(frame, "failure")
        elif request_type is not None:
            self.check(frame, "reply." + request_type)
