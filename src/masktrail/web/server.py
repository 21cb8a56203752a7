"""The routes: each asks the session, and turns what it says into an answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from masktrail.errors import InputError
from masktrail.settings import text_of
from masktrail.web.allowed_files import AllowedFiles, TooLarge
from masktrail.web.guard import Guard
from masktrail.web.marks import Mark
from masktrail.web.pictures import frame_jpeg, labels_png, mask_png
from masktrail.web.session import Session
from masktrail.zoo import settings_of

STATIC = Path(__file__).parent / "static"

UNCHANGING = {"Cache-Control": "private, max-age=3600"}
"""Of frames: their address holds the key of the opening."""

FRESH = {"Cache-Control": "no-store"}


class What(BaseModel):
    """What is to be opened: one of these."""

    path: str | None = None
    project: str | None = None
    demo: bool = False


class Wanted(BaseModel):
    """Names of exports."""

    exports: list[str]


def create_app(allowed: AllowedFiles, token: str, port: int) -> FastAPI:
    """The application, guarded.

    Args:
        allowed: the files that may be used.
        token: that the page must show.
        port: that it is served on.
    """
    session = Session(allowed)

    @asynccontextmanager
    async def closing(app: FastAPI) -> AsyncIterator[None]:
        yield
        session.close()

    app = FastAPI(lifespan=closing, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, token=token, port=port)
    app.add_exception_handler(InputError, _explain)
    app.add_exception_handler(RequestValidationError, _explain_form)
    app.state.session = session
    _page(app)
    _opening(app, session)
    _marking(app, session)
    _tracking(app, session)
    _exporting(app, session)
    return app


def _page(app: FastAPI) -> None:
    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", headers=FRESH)

    app.mount("/static", StaticFiles(directory=STATIC))


def _opening(app: FastAPI, session: Session) -> None:
    @app.get("/api/state")
    def state() -> dict[str, Any]:
        return session.state()

    @app.get("/api/settings")
    def settings(model: str) -> list[dict[str, Any]]:
        return [
            {
                "name": setting.name,
                "default": text_of(setting.default),
                "choices": setting.choices,
                "expected": setting.expected,
            }
            for setting in settings_of(model)
        ]

    @app.get("/api/files")
    def files(path: str = "") -> dict[str, Any]:
        return session.allowed.listing(path)

    @app.post("/api/open")
    def open_(what: What) -> dict[str, Any]:
        if what.path is not None:
            session.open_video(what.path)
        elif what.project is not None:
            session.open_project(what.project)
        elif what.demo:
            session.open_demo()
        else:
            raise InputError("Say what to open: a path, a project or the demo clip.")
        return session.state()

    @app.post("/api/upload")
    async def upload(name: str, request: Request) -> dict[str, Any]:
        from fastapi.concurrency import run_in_threadpool

        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > session.allowed.upload_limit:
            raise TooLarge(
                f"{Path(name).name} is larger than {session.allowed.upload_limit // 2**20} MB, the "
                "limit; open it from disk, or start with a greater --upload-limit."
            )
        video = await session.allowed.upload(name, request.stream())
        await run_in_threadpool(session.open_upload, video)
        return session.state()

    @app.post("/api/close")
    def close(k: str = "") -> dict[str, Any]:
        session.close_project(k)
        return session.state()


def _marking(app: FastAPI, session: Session) -> None:
    @app.put("/api/mark")
    def mark(body: Mark, k: str = "") -> dict[str, bool]:
        session.mark(body, k)
        return {"ok": True}

    @app.post("/api/masks")
    async def masks(request: Request, k: str = "") -> dict[str, str]:
        from fastapi.concurrency import run_in_threadpool

        opened, picture = session.of(k), await request.body()
        return {"name": await run_in_threadpool(opened.project.add_mask, picture, opened.size)}

    @app.get("/api/frames/{frame}")
    def frames(frame: int, k: str = "") -> Response:
        picture = frame_jpeg(session.of(k).browser.frame(frame))
        return Response(picture, media_type="image/jpeg", headers=UNCHANGING)

    @app.get("/api/labels/{frame}")
    def labels(frame: int) -> Response:
        result = session.shown(frame)
        headers = {**FRESH, "X-Source": result.source, "X-Objects": ""}
        if result.labels is None or not result.labels.any():
            return Response(status_code=204, headers=headers)
        mark = session.opened.project.mark
        ids = [entry.id for entry in mark.objects if (result.labels == entry.id).any()]
        headers["X-Objects"] = ",".join(map(str, ids))
        picture = labels_png(result.labels, {entry.id: entry.rgb for entry in mark.objects})
        return Response(picture, media_type="image/png", headers=headers)

    @app.get("/api/labels/{frame}/{object_id}")
    def labels_of(frame: int, object_id: int) -> Response:
        labels = session.shown(frame).labels
        if labels is None or not (labels == object_id).any():
            return Response(status_code=204, headers=FRESH)
        picture = mask_png(labels == object_id)
        return Response(picture, media_type="image/png", headers=FRESH)


def _tracking(app: FastAPI, session: Session) -> None:
    @app.get("/api/run")
    def run(since: int = 0) -> dict[str, Any]:
        return session.opened.tracking.status(since)

    @app.post("/api/run")
    def start(k: str = "") -> dict[str, Any]:
        session.start(k)
        return session.opened.tracking.status()

    @app.post("/api/run/pause")
    def pause(k: str = "") -> dict[str, Any]:
        tracking = session.of(k).tracking
        tracking.pause()
        return tracking.status()


def _exporting(app: FastAPI, session: Session) -> None:
    @app.post("/api/export")
    def start(body: Wanted, k: str = "") -> dict[str, Any]:
        session.export(body.exports, k)
        return session.opened.exporting.status()

    @app.get("/api/export")
    def status() -> dict[str, Any]:
        return session.opened.exporting.status()

    @app.get("/api/export/{name}")
    def download(name: str) -> FileResponse:
        path = session.opened.exporting.file(name)
        return FileResponse(path, filename=path.name, headers=FRESH)


def _explain(request: Request, error: Exception) -> JSONResponse:
    status = 413 if isinstance(error, TooLarge) else 400
    return JSONResponse({"detail": str(error)}, status)


def _explain_form(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse({"detail": f"{where or 'The request'}: {first['msg']}."}, 422)
