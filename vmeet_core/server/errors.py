"""Errors of the REST interface: ``{"error": {"code", "message", "field"}}``, whatever went wrong."""

import logging
from typing import TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ValidationError

from vmeet_core.database import DatabaseUnavailable

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """Raised by a handler; the middleware makes it the answer."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


def error_response(error: ApiError) -> web.Response:
    """The JSON body that the page understands."""
    body: dict[str, str] = {"code": error.code, "message": str(error)}
    if error.field:
        body["field"] = error.field
    return web.json_response({"error": body}, status=error.status)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure under /api/ is JSON; a bug is logged and told without its details."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    try:
        return await handler(request)
    except ApiError as error:
        return error_response(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return error_response(ApiError(error.status, error.reason.lower().replace(" ", "-"), error.reason))
    except DatabaseUnavailable as error:
        logger.error("%s %s: %s", request.method, request.path, error)
        return error_response(ApiError(503, "database-unavailable", "the database does not answer; try again later"))
    except ConnectionError:
        raise
    except Exception:
        logger.exception("%s %s failed", request.method, request.path)
        return error_response(ApiError(500, "internal", "the server could not do this; its log says why"))


ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_body(request: web.Request, model: type[ModelT]) -> ModelT:
    """The JSON body as a model. Raises ApiError that names the first wrong field."""
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or None
        raise ApiError(422, "bad-body", f"{field or 'the body'}: {first['msg']}", field) from None
