"""Errors as answers: one shape, in the reader's language, and nothing of the inside."""

import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from monitor.adapters.web.chinese import fault_in_chinese, in_chinese
from monitor.adapters.web.types import ErrorAnswer, ErrorInfo
from monitor.domain.errors import BusyError, ConfigError, RedpostError, Refused, RuleError, StorageError
from monitor.domain.phrases import Phrase


def _plain(value: object) -> str:
    if isinstance(value, Phrase):
        return str(value)
    raise NotImplementedError


_encoder: Final = msgspec.json.Encoder(enc_hook=_plain)


class Problem(Exception):
    """An answer that is an error. `code` is stable for programs."""

    def __init__(
        self, status: int, code: str, message: str, *, hint: str = "", details: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.details = details or {}
        self.headers = dict(headers or {})


class ClientGone(Exception):
    """The client went away, or was cut off: there is nobody to answer."""


_MESSAGE: Final = "{message}"
CHINESE: Final[dict[str, tuple[str, str]]] = {
    "bad_input": ("请求内容有误：{message}", "按说明或 details 修改后重发"),
    "bad_rules": ("规则文件有错，仍在使用原来的规则", "details.faults 列出了每一处：文件、行、列"),
    "bad_config": ("配置有误", "请运维人员检查配置"),
    "bad_parameter": ("查询参数有误：{message}", "details.parameter 是出错的参数，可用的参数见 /api/v1/openapi.json"),
    "bad_request": ("请求不合协议", "检查请求方式与请求头"),
    "bad_body": ("请求体无法解压", "按 Content-Encoding 完整压缩后重发"),
    "bad_message": ("消息无法读取：{message}", "先发 hello，之后每条消息为 {\"seq\": n, \"events\": […]}"),
    "unreadable": ("请求体里没有一条能读的事件", "发送 NDJSON（每行一个对象）或 JSON 数组，details.rejected 说明原因"),
    "gap": ("消息序号不连续", "从 expected 开始重发"),
    "no_token": ("需要访问令牌", "请求头 Authorization: Bearer rp_…"),
    "unknown_token": ("访问令牌无效或已吊销", "检查令牌，或请管理员新建一个"),
    "missing_scope": ("这个令牌没有所需权限", "details.scope 是所需权限，请管理员新建令牌"),
    "not_signed_in": ("尚未登录", "先登录：POST /api/v1/session"),
    "session_ended": ("登录已失效", "请重新登录"),
    "no_csrf": ("缺少防伪请求头", "请求头 X-CSRF-Token 取登录时返回的 csrf"),
    "missing_permission": ("没有这项权限", "details.permission 是所需权限，请管理员授权"),
    "bad_login": ("账号或密码不正确", "请核对；连续失败次数过多将暂停登录"),
    "too_many_tries": ("登录失败次数过多，请稍后再试", "按 Retry-After 的秒数等待，或请管理员重发邀请以重设密码"),
    "choose_tenant": ("请选择要登录的租户", "details.tenants 是可选的租户，带上 tenant 重新提交"),
    "foreign_host": ("Host 不是本机地址，已拒绝", "用 127.0.0.1 或 localhost 访问，或使用令牌"),
    "cross_site": ("拒绝来自其他网站的请求", "从本站页面访问，或使用令牌"),
    "not_found": ("没有找到", "检查地址与编号"),
    "key_reused": ("这个 Idempotency-Key 已用于另一个请求", "新的请求用新的键；重发原请求须与原来一致"),
    "not_built": ("控制台还没有构建", "在代码目录运行 make console，或安装 wheel"),
    "unknown_link": ("链接无效、已过期或已作废", "请监察岗重新发一个链接"),
    "media_unreachable": ("取不到录像或直播音频：{message}", "检查直播间档案里的 media 地址"),
    "conflict": ("先前的同类任务还在进行", "等它结束后再试"),
    "method_not_allowed": ("这个地址不支持该请求方法", "可用的方法见 Allow 响应头"),
    "too_slow": ("请求体传得太慢", "分成更小的请求发送"),
    "too_large": ("请求体太大", "分成更小的请求发送"),
    "unsupported_encoding": ("不支持这种 Content-Encoding", "用 gzip 或 zstd，或不压缩"),
    "busy": ("系统繁忙，本次没有接收", "按 Retry-After 的秒数等待后重发"),
    "storage": ("存储暂时不可用，本次没有确认", "按 Retry-After 的秒数等待后重发"),
    "slow_storage": ("查询用时过长", "缩小时间范围，或稍后再试"),
    "refused": ("不能这样操作：{message}", "重新读取后再试"),
    "bad_json": ("请求体不符合要求：{message}", "各字段见 /api/v1/openapi.json"),
    "internal": ("内部错误", "请把 details.id 告诉运维人员，日志里有同一编号"),
}
"""Message and hint by code. {message}: what is said of this very case; it stands alone where it has Chinese words."""


def prefers_chinese(accept_language: str) -> bool:
    """Whether Accept-Language ranks Chinese above English."""
    best = {"zh": 0.0, "en": 0.0}
    for part in accept_language.split(",")[:20]:
        language, _, parameters = part.strip().partition(";")
        name = language.strip().lower().split("-", 1)[0]
        if name in best:
            best[name] = max(best[name], _quality(parameters))
    return best["zh"] > best["en"]


def _quality(parameters: str) -> float:
    key, _, value = parameters.strip().partition("=")
    if key.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def info(problem: Problem, accept_language: str) -> ErrorInfo:
    if problem.code not in CHINESE or not prefers_chinese(accept_language):
        return ErrorInfo(problem.code, str(problem.message), str(problem.hint), problem.details)
    pattern, hint = CHINESE[problem.code]
    details = problem.details
    if "faults" in details:
        details = {**details, "faults": [fault_in_chinese(fault) for fault in details["faults"]]}
    if _MESSAGE not in pattern:
        return ErrorInfo(problem.code, pattern, hint, details)
    message = in_chinese(problem.message) or pattern.replace(_MESSAGE, problem.message)
    return ErrorInfo(problem.code, message, in_chinese(problem.hint) or hint, {**details, "message": problem.message})


def in_the_readers_words(request: web.Request, said: str) -> str:
    """As the reader's language says it, where it has words for it."""
    chinese = in_chinese(said) if reads_chinese(request) else None
    return chinese or str(said)


def reads_chinese(request: web.Request) -> bool:
    return prefers_chinese(request.headers.get("Accept-Language", ""))


def answer(request: web.Request, problem: Problem) -> web.Response:
    body = ErrorAnswer(info(problem, request.headers.get("Accept-Language", "")))
    headers = {"Vary": "Accept-Language", **problem.headers}
    return json_answer(body, status=problem.status, headers=headers)


def json_answer(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=_encoder.encode(value), status=status, headers=headers, content_type="application/json"
    )


def of_redpost(error: RedpostError, *, retry_after_s: int) -> Problem:
    """The answer to an error that was raised on purpose."""
    if isinstance(error, RuleError):
        return Problem(error.status, error.code, f"the rules have {len(error.faults)} faults; the old ones stay in use",
                       hint="details.faults has each with file, line and column", details={"faults": error.faults})
    headers: dict[str, str] = {}
    if isinstance(error, ConfigError):  # names files and settings, which are the operator's
        return Problem(error.status, error.code, "the service is not set up for this", hint="ask the operator, the log "
                       "says what is wrong", headers={"Retry-After": str(retry_after_s)})
    if isinstance(error, BusyError):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, StorageError):
        headers["Retry-After"] = str(retry_after_s)
    details: dict[str, Any] = {"why": error.why, **error.facts} if isinstance(error, Refused) else {}
    return Problem(error.status, error.code, error.message, hint=error.hint, details=details, headers=headers)


def plain_answer(status: int, code: str, message: str, *, hint: str, headers: Sequence[str] = ()) -> bytes:
    """An error as the bytes of a whole response, where no request was read; the connection ends with it."""
    body = _encoder.encode(ErrorAnswer(ErrorInfo(code, message, hint, {})))
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *headers, "Connection: close",
             "Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


_HTTP: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def of_http(error: web.HTTPException) -> Problem:
    """The answer to what aiohttp itself refused."""
    headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
    hint = "the paths are listed in /api/v1/openapi.json" if error.status == 404 else ""
    return Problem(error.status, _HTTP.get(error.status, "bad_request"), error.reason, hint=hint, headers=headers)


def trace_of(error: BaseException) -> str:
    """Where it happened, and the kinds of the errors; never their messages, which may quote what people said."""
    chain: list[str] = []
    current: BaseException | None = error
    while current is not None and len(chain) < 5:
        chain.append(type(current).__qualname__ + "\n" + "".join(traceback.format_tb(current.__traceback__)))
        current = current.__cause__ or current.__context__
    return "caused by ".join(chain)
