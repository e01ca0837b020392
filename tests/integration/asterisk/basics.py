"""Ports that nobody else takes meanwhile, and waiting for what must come."""

import os
import random
import socket
import time

PATIENCE = float(os.environ.get("TOUCHGATE_TEST_PATIENCE", "1"))

# Below the ports that the system hands out by itself, and apart from those that Asterisk takes for sound (see pbx.py): a number that was looked up and
# is used only later is still free then.
PORTS = range(12_000, 20_000, 4)
given = set()


def free_port():
    """A port on which nothing listens, neither TCP nor UDP; even, and the three after it are free as well."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if port not in given and is_free(port):
            given.add(port)
            return port
    raise AssertionError("no port is free")


def is_free(first):
    try:
        for port in range(first, first + 4):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def wait_until(what, condition, seconds=20.0):
    """What the condition gives as soon as it is true."""
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain: " + what)
