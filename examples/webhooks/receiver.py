"""How a dispatch centre takes the hub's callbacks: check the signature, refuse what is old or came before.

Nothing but Python's standard library. Run it as ``WEBHOOK_SECRET=whsec_… python receiver.py 8900``; the secret
comes from ``POST /v1/webhooks/secrets/rotate``. Any library for Standard Webhooks does the same.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE_S = 300
"""How far the hub's clock may differ from ours; older messages are refused."""
LARGEST_BODY_BYTES = 64 * 1024


class Refused(Exception):
    """The message is not to be trusted; the text says why."""


class Verifier:
    """Checks messages. Keep one for the life of the receiver: it remembers what came before."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets]
        self._seen: dict[str, float] = {}

    def check(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str:
        """The message's id. Raises :class:`Refused`."""
        given = {name.lower(): value for name, value in headers.items()}
        message_id, sent = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
        if not message_id or not sent.isascii() or not sent.isdigit():
            raise Refused("headers are missing")
        signed = f"{message_id}.{sent}.".encode() + body
        signatures = [item.partition(",") for item in given.get("webhook-signature", "").split()]
        if not any(
            version == "v1" and _same(key, signed, signature)
            for version, _, signature in signatures
            for key in self._keys
        ):
            raise Refused("the signature is not right")
        if abs(now_s - int(sent)) > TOLERANCE_S:
            raise Refused("the message is too old, or our clocks differ")
        if message_id in self._seen:
            raise Refused("the message came before")
        return message_id

    def remember(self, message_id: str, now_s: float) -> None:
        """Call when the message was stored: a retry of one that was not must still get in."""
        self._seen = {known: at for known, at in self._seen.items() if now_s - at <= 2 * TOLERANCE_S}
        self._seen[message_id] = now_s


def _same(key: bytes, signed: bytes, signature: str) -> bool:
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(key, signed, hashlib.sha256).digest(), given)


class Receiver(BaseHTTPRequestHandler):
    """Takes POSTs and prints what changed."""

    verifier: Verifier

    def do_POST(self) -> None:
        """204 taken, 400 refused: the hub tries again after anything but 2xx."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        try:
            message_id = self.verifier.check(dict(self.headers), body, time.time())
        except Refused as refusal:
            print(f"refused: {refusal}")
            self.send_error(400, str(refusal))
            return
        update = json.loads(body)
        print(f"{update['at']} {update['order_id']} {update['state']}: {update['detail_zh']}")
        self.verifier.remember(message_id, time.time())
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    Receiver.verifier = Verifier(os.environ["WEBHOOK_SECRET"].split())
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
