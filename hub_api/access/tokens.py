"""Short-lived bearer tokens: signed JSON Web Tokens (RFC 7519), HS256, checked against the hub's clock.

A token says who it is for and what it may do; whether its account or key is still open is looked up
at every request, so closing one works at once and not only when its tokens have run out.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from core.clock import Clock
from core.errors import DispatchError, ErrorCode
from hub_api.keyring import Keyring

ISSUER = "drone-aed"
LEEWAY_S = 0.0
"""One hub signs and checks by one clock: none is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """What a token says. ``subject`` is a key or an account, ``epoch`` that subject's generation of tokens."""

    subject: str
    client: str
    scopes: frozenset[str]
    epoch: int
    authenticated_at: datetime
    expires_at: datetime


class TokenSigner:
    """Issues and checks tokens."""

    def __init__(self, keys: Keyring, clock: Clock, *, lifetime_s: float) -> None:
        self._keys = keys
        self._clock = clock
        self.lifetime_s = lifetime_s

    def issue(
        self,
        *,
        subject: str,
        client: str,
        scopes: frozenset[str],
        epoch: int,
        authenticated_at: datetime | None = None,
    ) -> str:
        """A token that ends ``lifetime_s`` from now."""
        now = self._clock.now()
        name, key = self._keys.current
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": subject,
            "client": client,
            "scope": " ".join(sorted(scopes)),
            "epoch": epoch,
            "auth_time": (authenticated_at or now).timestamp(),
            "iat": now.timestamp(),
            "exp": (now + timedelta(seconds=self.lifetime_s)).timestamp(),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, key, algorithm="HS256", headers={"kid": name})

    def check(self, token: str) -> TokenClaims:
        """What the token says. Raises 4101 if it is not ours, was changed, or has run out."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            key = self._keys.find(name) if isinstance(name, str) else None
            if key is None:
                raise jwt.InvalidTokenError("unknown key")
            claims = jwt.decode(
                token,
                key,
                algorithms=["HS256"],
                issuer=ISSUER,
                # Expiry is checked below, by the hub's own clock, which an accelerated demo has too.
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "iss"]},
            )
            found = TokenClaims(
                subject=str(claims["sub"]),
                client=str(claims["client"]),
                scopes=frozenset(str(claims["scope"]).split()),
                epoch=int(claims["epoch"]),
                authenticated_at=datetime.fromtimestamp(float(claims["auth_time"]), UTC),
                expires_at=datetime.fromtimestamp(float(claims["exp"]), UTC),
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError):
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "the token is not valid · 令牌无效") from None
        if self._clock.now() >= found.expires_at + timedelta(seconds=LEEWAY_S):
            raise DispatchError(ErrorCode.CREDENTIALS_MISSING, "the token has expired · 令牌已过期")
        return found


def looks_like_token(secret: str) -> bool:
    """Whether a bearer value is a token rather than an API key: three dotted parts."""
    return secret.count(".") == 2
