"""The part of the route table that is about people: signing in, accounts, the trail."""

from typing import Final

from monitor.adapters.web.auth import SESSION
from monitor.adapters.web.handling import Route
from monitor.adapters.web.people import (
    AUDIT_PARAMS,
    USERS_PARAMS,
    AuditAnswer,
    LinkAnswer,
    get_user,
    invite_user,
    list_audit,
    list_users,
    put_user,
)
from monitor.adapters.web.signing import (
    SESSIONS_PARAMS,
    JoinBody,
    Me,
    PasswordBody,
    SessionsAnswer,
    SignInBody,
    change_password,
    end_session,
    get_invitation,
    get_me,
    join,
    list_sessions,
    sign_in,
    sign_out,
)
from monitor.domain.accounts import User
from monitor.domain.people import Permission
from monitor.services.people import UserPage, Wanted
from monitor.services.signing import Invited

_API: Final = "/api/v1"
_BODY: Final = (400, 408, 413, 415, 429, 503)

PEOPLE: Final[tuple[Route, ...]] = (
    Route(
        method="POST", path=f"{_API}/session", name="signIn", scope=None, handler=sign_in,
        summary="Sign in: the session is in the cookie of the answer.", body=SignInBody, answer=Me,
        errors=(*_BODY, 401, 403, 409),
    ),
    Route(
        method="GET", path=f"{_API}/session", name="getMe", scope="read", handler=get_me, anyone=True,
        summary="Who asks, and what they may do where.", answer=Me, errors=(503,),
    ),
    Route(
        method="DELETE", path=f"{_API}/session", name="signOut", scope=SESSION, handler=sign_out,
        summary="Sign out.", media="", status=204, errors=(404, 503),
    ),
    Route(
        method="PUT", path=f"{_API}/session/password", name="changePassword", scope=SESSION, handler=change_password,
        summary="Change one's password; all other sessions of the person end.", body=PasswordBody, media="", status=204,
        errors=_BODY,
    ),
    Route(
        method="GET", path=f"{_API}/sessions", name="listSessions", scope=SESSION, handler=list_sessions,
        summary="One's sessions, newest first.", params=SESSIONS_PARAMS, answer=SessionsAnswer, errors=(400, 503),
    ),
    Route(
        method="DELETE", path=f"{_API}/sessions/{{session}}", name="endSession", scope=SESSION, handler=end_session,
        summary="End one of one's sessions.", media="", status=204, errors=(404, 503),
    ),
    Route(
        method="GET", path=f"{_API}/invitations/{{secret}}", name="getInvitation", scope=None, handler=get_invitation,
        summary="For whom a one-time link is, and whether they set a password.", answer=Invited, errors=(404, 503),
    ),
    Route(
        method="POST", path=f"{_API}/invitations/{{secret}}", name="takeInvitation", scope=None, handler=join,
        summary="Take an invitation: set the password, or show the one that is used elsewhere; signs in.",
        body=JoinBody, answer=Me, errors=(*_BODY, 401, 403, 404, 409),
    ),
    Route(
        method="GET", path=f"{_API}/users", name="listUsers", scope="people", handler=list_users, by_unit=True,
        summary="The people whom one looks after.", params=USERS_PARAMS, answer=UserPage, errors=(400, 503),
    ),
    Route(
        method="GET", path=f"{_API}/users/{{login}}", name="getUser", scope="people", handler=get_user, by_unit=True,
        summary="One of them.", answer=User, errors=(404, 503),
    ),
    Route(
        method="PUT", path=f"{_API}/users/{{login}}", name="putUser", scope="people", handler=put_user, by_unit=True,
        summary="Make a user, or change name, roles and whether they may sign in.",
        body=Wanted, answer=User, errors=(*_BODY, 404, 409),
    ),
    Route(
        method="POST", path=f"{_API}/users/{{login}}/invitation", name="inviteUser", scope="people",
        handler=invite_user, by_unit=True, secret=True,
        summary="A one-time link by which somebody comes in, or sets a new password.",
        answer=LinkAnswer, errors=(404, 409, 503),
    ),
    Route(
        method="GET", path=f"{_API}/audit", name="listAudit", scope="read", handler=list_audit,
        permission=Permission.AUDIT, summary="The trail: who changed what, oldest first.", params=AUDIT_PARAMS,
        answer=AuditAnswer, errors=(400, 503),
    ),
)
