#!/usr/bin/env python3
"""Reads a touch log (docs/touch-log.md) without Touchgate: prints sequence, time, type and contact of each record and checks the chain.

usage: read_log.py DATA_DIR/log      Payloads are not decoded: personal data in them is sealed under keys that are not in the log.
"""
import hashlib, os, re, struct, sys
from datetime import datetime, timezone

TRAILER, FOOTER, HEADER_BYTES, TRAILER_BYTES, FOOTER_BYTES = 0xFF544142, 0xFF474553, 128, 40, 104

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def read_log(folder):
    sequence, previous = 0, None
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"\d{10}\.log", name))
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        log_id, at, batch, records = data[32:48], HEADER_BYTES, HEADER_BYTES, []
        assert data[:8] == b"TOUCHLOG" and sha256(data[:96]) == data[96:128], f"{name}: the header is damaged"
        previous = previous or sha256(b"touchgate touch log\n", log_id)
        assert data[48:80] == previous, f"{name}: does not follow the segment before it"
        while at < len(data):
            length = int.from_bytes(data[at:at + 4], "little")
            size = {TRAILER: TRAILER_BYTES, FOOTER: FOOTER_BYTES}.get(length, length)
            if size < TRAILER_BYTES or at + size > len(data):
                assert name == names[-1], f"{name}: ends inside a batch"
                return  # a batch that is being written, or that a crash interrupted
            if length == TRAILER:  # only now the batch counts
                check = sha256(log_id, data[at:at + 24], previous)[:16]
                assert data[at + 24:at + 40] == check and struct.unpack_from("<II", data, at + 4) == (at + 40 - batch, len(records)), f"{name}: trailer at {at}"
                yield from records
                at, batch, records = at + TRAILER_BYTES, at + TRAILER_BYTES, []
            elif length == FOOTER:
                assert data[at + 56:at + 88] == sha256(data[:at]) and at + FOOTER_BYTES == len(data), f"{name}: the footer does not fit"
                break
            else:
                number, time, kind, version, _, contact, _ = struct.unpack_from("<QqHBBIQ", data, at + 4)
                previous, sequence = sha256(previous, data[at:at + length - 32]), sequence + 1
                assert number == sequence and previous == data[at + length - 32:at + length], f"{name}: record at {at}"
                records.append((number, time, kind, version, contact, data[at + 36:at + length - 32]))
                at += length

if __name__ == "__main__":
    for number, time, kind, version, contact, payload in read_log(sys.argv[1]):
        print(number, datetime.fromtimestamp(time / 1000, timezone.utc).isoformat(timespec="milliseconds"), f"type={kind}.{version} contact={contact} bytes={len(payload)}")
