"""The routes of signing in and out, the same for customers and staff; what they do is in
`shared/operations/sign_in.py` and `entering.py`.

Pages, from the function's folder: `sign_in`, `sign_in_sent`, `sign_in_confirm`; for staff the same
with `console_` before. The browser that asks keeps a cookie with the address and a nonce: the code
works only there, and the address is filled in when it has to ask again. No address is ever put
into a URL of ours.
"""

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from aws_lambda_powertools.shared.cookies import Cookie
from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.due import Worker
from shared.domain.errors import Invalid, Missing, PunchcardError, Unavailable
from shared.log import logger
from shared.operations import sign_in
from shared.operations.sign_in import Asked, CodeState, LinkState, Opened
from shared.operations.visit import Audience, Lost, staff_cookie
from shared.web import accept
from shared.web.answer import (
    LOCATION_COOKIE,
    LOCATION_KEPT,
    SESSION_COOKIE,
    SIGN_IN_COOKIE,
    STAFF_COOKIE,
    STAFF_SIGN_IN_COOKIE,
    VISITOR_COOKIE,
    Answer,
    cookie,
    no_cookie,
)
from shared.web.app import HOME, SIGN_IN, App
from shared.web.email_address import email_address
from shared.web.pages.sign_in import SignInConfirmPage, SignInPage, SignInSentPage, WhySignIn
from shared.web.request import Request
from shared.web.security import local_path, next_parameter
from shared.web.sign_in_models import (
    AskForLink,
    EnterCode,
    LinkSent,
    Person,
    Redirected,
    SignedIn,
    SignedOut,
    SignInQuery,
)

ASKED_KEPT = timedelta(hours=1)
"""How long the asking browser remembers its address and nonce."""

CODE_RACES = 8
EVENT_SOURCE = "punchcard"

WHY = {
    LinkState.USED: WhySignIn.LINK_USED,
    LinkState.EXPIRED: WhySignIn.LINK_EXPIRED,
    LinkState.UNKNOWN: WhySignIn.LINK_UNKNOWN,
}
SENTENCES = {
    WhySignIn.LINK_USED: "This link has been used already.",
    WhySignIn.LINK_EXPIRED: "This link has expired.",
    WhySignIn.LINK_UNKNOWN: "This link is not valid any more.",
    WhySignIn.CODE_DEAD: "This code can't be used any more. Ask for a new one.",
}

if TYPE_CHECKING:
    # Entering brings carts along, and loads all that carts know; asking for a link does neither.
    from shared.operations.entering import Door, Entered


def mount_sign_in(app: App) -> None:
    """Add signing in and out, for the app's own audience, below its own path."""
    routes = _Routes(app.audience)
    at = SIGN_IN[app.audience]
    out = at.replace("/sign-in", "/sign-out")
    page = routes.page
    app.get(
        at,
        page=page("sign_in"),
        answer=SignInPage,
        query=SignInQuery,
        summary="Ask for an email address.",
    )(routes.show)
    app.post(
        at,
        page=page("sign_in"),
        answer=LinkSent,
        body=AskForLink,
        status=202,
        on_error=routes.ask_again,
        summary="Send a sign-in link and code to an address, known or not.",
    )(routes.ask)
    app.get(
        f"{at}/code",
        page=page("sign_in_sent"),
        answer=SignInSentPage,
        summary="Where the code is typed, in the browser that asked.",
    )(routes.show_sent)
    app.post(
        f"{at}/code",
        page=page("sign_in_sent"),
        answer=SignedIn,
        body=EnterCode,
        on_error=routes.type_again,
        summary="Sign in by the code, in the browser that asked.",
    )(routes.use_code)
    app.get(
        f"{at}/{{token}}",
        page=page("sign_in_confirm"),
        answer=SignInConfirmPage,
        holds_token=True,
        summary="What an emailed link shows: one button. Changes nothing.",
    )(routes.show_link)
    app.post(
        f"{at}/{{token}}",
        answer=SignedIn,
        holds_token=True,
        summary="Sign in by an emailed link; it works once.",
    )(routes.use_link)
    app.post(out, answer=SignedOut, summary="End the session at once.")(routes.sign_out)


class _Routes:
    """The views for one audience."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        self.at = SIGN_IN[audience]
        is_staff = audience is Audience.STAFF
        self._prefix = "console_" if is_staff else ""
        self._session_cookie = STAFF_COOKIE if is_staff else SESSION_COOKIE
        self._asked_cookie = STAFF_SIGN_IN_COOKIE if is_staff else SIGN_IN_COOKIE

    def page(self, name: str) -> str:
        return f"{self._prefix}{name}"

    # --- asking ---

    def show(self, request: Request) -> Answer:
        query: SignInQuery = request.query
        next_path = local_path(query.next)
        if request.visit.session is not None and not query.reason and request.wants_html:
            there = next_path or HOME[self.audience]
            return Answer(Redirected(location=there), location=there)
        why = next((why for why in WhySignIn if why == query.reason), None)
        if why is None and next_path is not None:
            had_session = self._session_cookie in request.cookies
            why = WhySignIn.SESSION_ENDED if had_session else WhySignIn.REQUIRED
        email = query.email
        if not email and why is not None:
            email = self._asked(request)[0]
        return Answer(SignInPage(email=email, next=next_path or "", why=why))

    def ask(self, request: Request) -> Answer:
        body: AskForLink = request.body
        asked = sign_in.ask(
            audience=self.audience,
            email=body.email,
            next_path=local_path(body.next),
            source_ip=request.source_ip,
            visitor=request.cookies.get(VISITOR_COOKIE),
            locale=accept.best_locale(request.headers.get("accept-language"), otherwise=""),
            now=request.now,
            new_id=request.wiring.new_id,
            new_secret=request.wiring.new_secret,
        )
        _deliver_now(request, asked)
        return Answer(
            LinkSent(sent_to=asked.email),
            status=202,
            location=f"{self.at}/code",
            cookies=(self._remember(asked.email, asked.nonce, local_path(body.next)),),
        )

    def ask_again(self, request: Request, _: PunchcardError) -> Answer:
        typed = request.typed
        next_path = local_path(str(typed.get("next", "")))
        return Answer(SignInPage(email=str(typed.get("email", ""))[:254], next=next_path or ""))

    def show_sent(self, request: Request) -> Answer:
        email, nonce, next_path = self._asked(request)
        if not email or not nonce:
            return self._start_again(request, None, next_path)
        return Answer(self._sent_page(request, email, next_path))

    def _sent_page(self, request: Request, email: str, next_path: str | None) -> SignInSentPage:
        settings = request.business.settings
        return SignInSentPage(
            email=email,
            next=next_path or "",
            link_minutes=settings.link_minutes,
            code_minutes=settings.code_minutes,
        )

    # --- the code ---

    def use_code(self, request: Request) -> Answer:
        from shared.operations.entering import LinkGone, enter

        typed: EnterCode = request.body
        email, nonce, _ = self._asked(request)
        link_ref, address_ref = sign_in.refs_of_address(self.audience, email)
        for _ in range(CODE_RACES):
            found = request.load(link_ref, address_ref)
            link = found.get(link_ref)
            settings = request.business.settings
            state = sign_in.judged(link, nonce, typed.code, settings, request.now)
            if state is CodeState.DEAD or link is None:
                raise _code_dead()
            try:
                if state is CodeState.RIGHT:
                    entered = enter(link, found.get(address_ref), self._door(request))
                    return self._entered(request, entered)
                left = sign_in.count_wrong_code(link)
            except (Lost, LinkGone):
                continue
            if left == 0:
                raise _code_dead()
            raise Invalid(
                "This is not the code from the email.",
                fields={"code": f"This is not the code from the email. {_tries(left)}"},
                code="wrong_code",
            )
        raise Unavailable("Too much is going on at once. Please try again.")

    def type_again(self, request: Request, error: PunchcardError) -> Answer | None:
        email, _, next_path = self._asked(request)
        if error.code == WhySignIn.CODE_DEAD.value:
            return self._start_again(request, WhySignIn.CODE_DEAD, next_path)
        if not isinstance(error, Invalid):
            return None
        return Answer(self._sent_page(request, email, next_path))

    # --- the link ---

    def _opened(self, request: Request) -> tuple[Opened, sign_in.TokenRefs | None]:
        refs = sign_in.refs_of_token(self.audience, request.params["token"])
        found = request.load(*(refs.all if refs else ()))
        settings = request.business.settings
        return sign_in.opened(refs, found, settings, request.now), refs

    def show_link(self, request: Request) -> Answer:
        opened, _ = self._opened(request)
        if opened.state is not LinkState.USABLE:
            return self._dead_link(request, opened)
        return Answer(SignInConfirmPage(email=opened.email, next=opened.next or ""))

    def use_link(self, request: Request) -> Answer:
        from shared.operations.entering import LinkGone, enter

        opened, refs = self._opened(request)
        if opened.link is None or refs is None:
            return self._dead_link(request, opened)
        address = request.visit.found.get(refs.address)
        try:
            entered = enter(opened.link, address, self._door(request))
        except LinkGone:
            return self._dead_link(request, Opened(LinkState.USED, opened.email, opened.next))
        return self._entered(request, entered)

    def _dead_link(self, request: Request, opened: Opened) -> Answer:
        """Programs are told what became of it; people are led to ask again ([STALE])."""
        why = WHY[opened.state]
        if not request.wants_html:
            raise Missing(SENTENCES[why], code=why.value)
        answer = self._start_again(request, why, opened.next)
        if not opened.email:
            return answer
        # Without a nonce: the address is filled in, and no code works by it.
        nonce = self._asked(request)[1] if self._asked(request)[0] == opened.email else ""
        remembered = self._remember(opened.email, nonce, opened.next)
        return Answer(answer.model, location=answer.location, cookies=(remembered,))

    def _start_again(
        self, request: Request, why: WhySignIn | None, next_path: str | None
    ) -> Answer:
        if why is None and not request.wants_html:
            raise Missing("No code was asked for in this browser.", code="not_asked")
        location = self.at + (f"?reason={why.value}" if why else "")
        if next_path:
            location += f"{'&' if why else '?'}{next_parameter(next_path)}"
        return Answer(Redirected(location=location), location=location)

    # --- being in, and out ---

    def _door(self, request: Request) -> "Door":
        from shared.operations.entering import Door

        visitor = request.cookies.get(VISITOR_COOKIE)
        return Door(
            now=request.now,
            new_id=request.wiring.new_id,
            new_secret=request.wiring.new_secret,
            catalogue=request.catalogue,
            visitor=visitor if self.audience is Audience.CUSTOMER else None,
            former=self._secret(request),
        )

    def _secret(self, request: Request) -> str | None:
        return request.cookies.get(self._session_cookie, "").rpartition(".")[2] or None

    def _entered(self, request: Request, entered: "Entered") -> Answer:
        session = entered.session
        lasts = session.ends_at - session.signed_in_at
        if entered.customer is not None:
            value = f"{entered.customer.id}.{entered.secret}"
            person = Person(
                id=entered.customer.id, email=entered.customer.email, name=entered.customer.name
            )
        else:
            value = staff_cookie(session.email, entered.secret)
            name = entered.staff.name if entered.staff else ""
            person = Person(email=session.email, name=name)
        cookies = [
            cookie(self._session_cookie, value, lasts=lasts),
            no_cookie(self._asked_cookie),
        ]
        if entered.customer is not None:
            cookies += self._cart_cookies(request, entered)
        is_staff = self.audience is Audience.STAFF
        next_path = entered.next or HOME[self.audience]
        signed_in = SignedIn(
            customer=None if is_staff else person,
            staff=person if is_staff else None,
            is_new=entered.is_new,
            next=next_path,
            ends_at=session.ends_at,
        )
        logger.info(
            "signed in",
            extra={
                "audience": self.audience.value,
                "customer_id": person.id,
                "is_new": entered.is_new,
            },
        )
        return Answer(signed_in, location=next_path, done="signed_in", cookies=tuple(cookies))

    def _cart_cookies(self, request: Request, entered: "Entered") -> list[Cookie]:
        cookies: list[Cookie] = []
        if VISITOR_COOKIE in request.cookies and not entered.keep_visitor:
            cookies.append(no_cookie(VISITOR_COOKIE))
        location = entered.location or (
            None
            if LOCATION_COOKIE in request.cookies or entered.customer is None
            else entered.customer.location
        )
        if location is not None:
            cookies.append(cookie(LOCATION_COOKIE, location, lasts=LOCATION_KEPT))
        return cookies

    def sign_out(self, request: Request) -> Answer:
        secret = self._secret(request)
        if secret is not None:
            sign_in.sign_out(secret)
        return Answer(
            SignedOut(),
            location=self.at,
            done="signed_out",
            cookies=(no_cookie(self._session_cookie), no_cookie(self._asked_cookie)),
        )

    # --- the asking browser's cookie ---

    def _remember(self, email: str, nonce: str, next_path: str | None) -> Cookie:
        packed = json.dumps([email, nonce, next_path]).encode()
        value = base64.urlsafe_b64encode(packed).decode().rstrip("=")
        return cookie(self._asked_cookie, value, lasts=ASKED_KEPT)

    def _asked(self, request: Request) -> tuple[str, str, str | None]:
        """Address, nonce and next path, as the asking browser remembers them; empty if it does
        not, or if what it sends is not ours."""
        value = request.cookies.get(self._asked_cookie, "")
        try:
            packed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            email, nonce, next_path = json.loads(packed)
            return email_address(email), str(nonce), local_path(next_path and str(next_path))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return "", "", None


def _tries(left: int) -> str:
    return f"{left} {'try' if left == 1 else 'tries'} left."


def _code_dead() -> Invalid:
    sentence = SENTENCES[WhySignIn.CODE_DEAD]
    return Invalid(sentence, fields={"code": sentence}, code=WhySignIn.CODE_DEAD.value)


def _deliver_now(request: Request, asked: Asked) -> None:
    """Have the email sent at once. When that fails, the sweep finds it within a minute."""
    entry = {
        "EventBusName": request.wiring.environment.event_bus,
        "Source": EVENT_SOURCE,
        "DetailType": Worker.DELIVER.value,
        "Detail": json.dumps({"due": [asked.due]}),
    }
    try:
        request.wiring.events.put_events(Entries=[entry])
    except (BotoCoreError, ClientError):
        logger.warning("the sign-in email waits for the sweep")
