"""``/console/``: the operators' page, served by the hub itself so that it works where there is no internet.

The page is one ``index.html`` and files whose names carry a digest of their content: those may be kept for ever, the
page itself is asked for anew each time, so that a new release shows at once. Nothing may run or load that is not
the hub's own (content security policy), except map tiles from the one source that the settings name.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from starlette.responses import HTMLResponse, RedirectResponse

from hub_api.settings import Settings

DIST = Path(__file__).resolve().parent / "dist"

_NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>drone-aed</title></head><body>
<h1>控制台尚未构建 · The console is not built</h1>
<p>在项目目录运行 <code>make setup</code>，然后重新打开本页。</p>
<p>Run <code>make setup</code> in the project's folder, then open this page again.</p>
<p>接口文档 API documentation: <a href="../docs">/docs</a></p>
</body></html>
"""
_SMALLEST_TO_COMPRESS = 1024
"""Chosen: below it the headers weigh as much."""
_COMPRESSIBLE = frozenset({".js", ".css", ".html", ".svg", ".json", ".txt"})
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, slots=True)
class _File:
    """A built file, ready to send."""

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str
    cache: str


class BuiltConsole:
    """The files of ``dist/``, read once and again when a build replaced them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built: int | None = None
        self._files: dict[str, _File] = {}

    def find(self, name: str) -> _File | None:
        """The file of this name, relative to the folder; only what was built can be asked for."""
        return self._current().get(name)

    @property
    def built(self) -> bool:
        return bool(self._current())

    def _current(self) -> dict[str, _File]:
        try:
            built = (self._folder / "index.html").stat().st_mtime_ns
        except FileNotFoundError:
            built, self._files = None, {}
        if built != self._built and built is not None:
            self._files = {
                path.relative_to(self._folder).as_posix(): _read(path, hashed=path.parent.name == "assets")
                for path in self._folder.rglob("*")
                if path.is_file() and not path.name.startswith(".")
            }
        self._built = built
        return self._files


def _read(path: Path, *, hashed: bool) -> _File:
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix == ".js":
        media_type = "text/javascript"
    text = path.suffix in _COMPRESSIBLE
    return _File(
        content=content,
        compressed=gzip.compress(content, mtime=0) if text and len(content) > _SMALLEST_TO_COMPRESS else None,
        media_type=f"{media_type}; charset=utf-8" if text else media_type,
        etag=f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        cache=_FOR_EVER if hashed else _ASK_AGAIN,
    )


def security_headers(settings: Settings) -> dict[str, str]:
    """What the page may do: run and load what the hub serves, talk to the hub, show the tiles of the settings."""
    images = "'self' data: blob:"
    if settings.console_tiles_url is not None:
        tiles = urlsplit(settings.console_tiles_url)
        if tiles.netloc:
            images += f" {tiles.scheme}://{tiles.netloc}"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": images,
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def install(app: FastAPI, settings: Settings, folder: Path = DIST) -> None:
    """Serve the console below ``/console/``."""
    console = BuiltConsole(folder)
    headers = security_headers(settings)

    async def to_folder(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/console/")

    async def serve(request: Request) -> Response:
        name = request.path_params["name"] or "index.html"
        if not console.built:
            return HTMLResponse(_NOT_BUILT, status_code=503, headers={**headers, "Cache-Control": "no-store"})
        found = console.find(name)
        if found is None:
            return Response("not found", 404, {**headers, "Cache-Control": "no-store"}, "text/plain")
        sent = {**headers, "ETag": found.etag, "Cache-Control": found.cache, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == found.etag:
            return Response(status_code=304, headers=sent)
        if found.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(found.compressed, 200, {**sent, "Content-Encoding": "gzip"}, found.media_type)
        return Response(found.content, 200, sent, found.media_type)

    app.add_route("/console", to_folder, include_in_schema=False)
    app.add_route("/console/{name:path}", serve, include_in_schema=False)
