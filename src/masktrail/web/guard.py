"""Who may talk to the server: the page it served itself, on this computer, with the token."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_LIMIT = 64 * 2**20
"""Bytes of a request that is no upload: painted masks are the largest."""

POLICY = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

UPLOAD = "/api/upload"
"""The path whose body may be larger; it counts by itself."""


class Guard:
    """Refuses requests that are not the page's own, before the application sees them.

    The token comes in the address of the page and from then on as a cookie that is sent with
    requests of the page alone. A foreign `Host` (DNS rebinding) and a foreign `Origin` are refused
    whatever token comes with them.

    Args:
        app: what is guarded.
        token: that must be shown.
        port: of the server.
    """

    def __init__(self, app: App, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._cookie = f"masktrail-{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            return await _refuse(send, *refusal)
        limit = None if scope["path"] == UPLOAD else BODY_LIMIT
        if limit is not None:
            receive = _limited(receive, limit)
        try:
            await self._app(scope, receive, self._answering(scope, send))
        except _BodyTooLarge:
            await _refuse(send, 413, f"That is more than {BODY_LIMIT // 2**20} MB.")

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        """Status and sentence for a request that is not the page's own."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if host not in self._hosts:
            return 403, f"This server answers to {sorted(self._hosts)[0]} alone."
        if origin is not None and origin not in {f"http://{allowed}" for allowed in self._hosts}:
            return 403, "Requests from other sites are refused."
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return 403, "Requests from other sites are refused."
        if not self._may(scope, headers):
            return 403, "The token is missing; open the address that masktrail web printed."
        length = headers.get("content-length", "0")
        if scope["path"] != UPLOAD and length.isdecimal() and int(length) > BODY_LIMIT:
            return 413, f"That is more than {BODY_LIMIT // 2**20} MB."
        return None

    def _may(self, scope: Scope, headers: dict[str, str]) -> bool:
        tokens = [self._in_cookie(headers.get("cookie", ""))]
        if scope["path"] == "/":
            tokens.append(self._in_address(scope))
        return any(secrets.compare_digest(token.encode(), self._token.encode()) for token in tokens)

    def _in_address(self, scope: Scope) -> str:
        tokens = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return tokens[0]

    def _in_cookie(self, cookies: str) -> str:
        try:
            cookie = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return ""
        return cookie.value if cookie else ""

    def _answering(self, scope: Scope, send: Send) -> Send:
        """Adds headers to an answer; the page itself brings the cookie."""
        more = dict(POLICY)
        if scope["path"] == "/":
            more["Set-Cookie"] = f"{self._cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in more.items()]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        return sending


class _BodyTooLarge(Exception):
    """More came than a request may hold."""


def _limited(receive: Receive, limit: int) -> Receive:
    """The same body, refused once it is larger than `limit` bytes, whatever its header said."""
    come = 0

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal come
        message = await receive()
        come += len(message.get("body", b""))
        if come > limit:
            raise _BodyTooLarge
        return message

    return receiving


async def _refuse(send: Send, status: int, sentence: str) -> None:
    import json

    body = json.dumps({"detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
