"""The open API as the web serves it: its resources below /api/v1, its document, and the page that shows it."""

from __future__ import annotations

__all__ = ["PREFIX", "ApiApplication"]

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.routing import Route as WebRoute

from hongyan.auth.sessions import WebSessions
from hongyan.web.api.declared import Route
from hongyan.web.api.dispatch import Api
from hongyan.web.api.openapi import openapi_document
from hongyan.web.api.page import PAGE_POLICY, render_page
from hongyan.web.problems import Say

PREFIX: Final = "/api/v1"


class ApiApplication:
    """What `make_app` takes in."""

    def __init__(self, routes: Sequence[Route], sessions: WebSessions, say: Say) -> None:
        self.sessions = sessions
        self.document = openapi_document(PREFIX, routes)
        self._page = render_page(self.document)
        self._api = Api(PREFIX, routes, sessions, say)

    def web_routes(self) -> list[BaseRoute]:
        """Return what the web serves of it."""
        return [
            WebRoute("/api/openapi.json", self._show_document),
            WebRoute("/api/docs", self._show_page),
            Mount("/api", app=self._api),
        ]

    async def _show_document(self, request: Request) -> Response:  # noqa: ARG002 - the same for everybody
        return JSONResponse(self.document)

    async def _show_page(self, request: Request) -> Response:  # noqa: ARG002 - the same for everybody
        return Response(self._page, media_type="text/html", headers={"content-security-policy": PAGE_POLICY})
