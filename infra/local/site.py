"""`/_local`: what a person or a program on this machine may look at and move.

Nothing of it exists in a deployment ([LOCALONLY]): only this package knows the path.
"""

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from infra.local.banks import ROOT, SANDBOX, Bank, address
from infra.local.clock import Backwards, BadMoment, after, moment
from infra.local.happened import NeverQuiet
from infra.local.http_api import Request, Response, json_response
from infra.local.mailbox import Mail
from shared.domain.due import utc_text

if TYPE_CHECKING:
    from infra.local.world import LocalWorld

MAILS_PER_PAGE = 200
"""How many emails the page shows; programs get them all."""

STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}
body{max-width:52rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}
a{color:LinkText} nav a{display:inline-block;padding:.5rem 0}
article{border-top:1px solid #8886;padding:1rem 0}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8881;padding:1rem;border-radius:.5rem}
iframe{width:100%;height:32rem;border:1px solid #8886;border-radius:.5rem;background:#fff}
*{box-sizing:border-box}
input,button{font:inherit;padding:.6rem .8rem;min-height:2.75rem;max-width:100%;border-radius:.4rem}
button{cursor:pointer} form{margin:1rem 0} label{display:block;margin-bottom:.25rem}
dt{font-weight:600} .quiet{opacity:.75}
"""
SECURITY = [
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        (
            "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; "
            "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
]
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)]")
"""A link in a text ends before the sentence's own punctuation."""


def answer(world: "LocalWorld", request: Request) -> Response:
    """Answer a request below `/_local`."""
    path = request.path
    name, below, _ = path.removeprefix(f"{ROOT}/").partition("/")
    bank = world.banks.bank(name) if below else None
    if bank is not None:
        return _at_bank(world, bank, request)
    if request.method == "POST" and request.header("sec-fetch-site") == "cross-site":
        return problem(403, "cross_site", "Another site may not do this.")
    pages = {ROOT: _index, f"{ROOT}/": _index, f"{ROOT}/mail": _mail, f"{ROOT}/clock": _clock}
    page = pages.get(path)
    if page is None:
        return problem(404, "not_found", "There is no such page.")
    allowed = ("GET", "HEAD", "POST") if page is _clock else ("GET", "HEAD")
    if request.method not in allowed:
        refused = problem(405, "method_not_allowed", f"This answers {', '.join(allowed)}.")
        return Response(405, [*refused.headers, ("allow", ", ".join(allowed))], refused.body)
    return page(world, request)


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """RFC 9457, with our stable `code` ([ERRORS])."""
    content = {"type": "about:blank", "status": status, "code": code, "detail": detail, **more}
    return json_response(status, content, "application/problem+json")


def _at_bank(world: "LocalWorld", bank: Bank, request: Request) -> Response:
    headers: dict[str, str] = {}
    for name, value in request.headers:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    status, out, body = bank.handle(
        request.method, request.target.removeprefix(address(bank.name)), headers, request.body
    )
    world.settle_if_free()
    return Response(status, list(out.items()), body)


def _wants_json(request: Request) -> bool:
    accept = request.header("accept")
    return "text/html" not in accept


def _page(title: str, content: str, status: int = 200) -> Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Punchcard on this machine</title><style>{STYLE}</style></head>"
        f'<body><nav><a href="{ROOT}/">This machine</a></nav><main><h1>{escape(title)}</h1>'
        f"{content}</main></body></html>"
    )
    headers = [("content-type", "text/html; charset=utf-8"), *SECURITY]
    return Response(status, headers, text.encode())


def _index(world: "LocalWorld", request: Request) -> Response:
    links = [
        ("/shop", "The shop", "what customers see"),
        ("/sign-in", "Sign in", "as a customer; the email arrives below"),
        ("/console", "The console", "what staff see"),
        (f"{ROOT}/mail", "Mail", f"{len(world.mailbox)} sent"),
        (f"{ROOT}/clock", "Clock", f"{utc_text(world.now())}, and can be moved"),
        (f"{address(SANDBOX)}/payments", "Payments", "what was paid, and what a bank takes back"),
        ("/openapi.json", "OpenAPI", "every route, for programs"),
    ]
    if _wants_json(request):
        content = {
            "links": [link for link, _, _ in links],
            "sign_in_addresses": list(world.sign_in_addresses),
        }
        return json_response(200, content)
    items = "".join(
        f'<li><a href="{link}">{name}</a> <span class="quiet">{escape(about)}</span></li>'
        for link, name, about in links
    )
    people = "".join(f"<li>{escape(one)}</li>" for one in world.sign_in_addresses)
    who = (
        f"<details><summary>Who can sign in</summary><ul>{people}</ul></details>" if people else ""
    )
    errors = "".join(f"<li>{escape(error)}</li>" for error in reversed(world.errors[-20:]))
    failures = f"<h2>Errors</h2><ul>{errors}</ul>" if errors else ""
    return _page("Punchcard on this machine", f"<ul>{items}</ul>{who}{failures}")


# Mail


def _mail(world: "LocalWorld", request: Request) -> Response:
    asked = parse_qs(request.query)
    # In a query a plus sign reads as a space, and no address has a space.
    to = asked["to"][0].strip().replace(" ", "+") if "to" in asked else None
    mails = world.mailbox.sent(to)
    if _wants_json(request):
        listed = json_response(200, [mail.as_json() for mail in mails])
        return Response(200, [*listed.headers, ("cache-control", "no-store")], listed.body)
    about = f"to {escape(to)}" if to else "to everyone"
    shown = "".join(_one_mail(mail) for mail in mails[:MAILS_PER_PAGE])
    return _page(
        "Mail",
        f'<form><label for="to">Only to</label><input id="to" name="to" type="email" '
        f'value="{escape(to or "", quote=True)}"> <button>Show</button></form>'
        f'<p class="quiet">{len(mails)} emails {about}, newest first.</p>'
        + (shown or "<p>Nothing was sent yet.</p>"),
    )


def _linked(text: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _LINK.finditer(text):
        link = escape(found[0], quote=True)
        parts += [escape(text[end : found.start()]), f'<a href="{link}">{link}</a>']
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def _one_mail(mail: Mail) -> str:
    to = ", ".join(
        f'<a href="{ROOT}/mail?{urlencode({"to": each})}">{escape(each)}</a>' for each in mail.to
    )
    html = (
        "<details><summary>As HTML</summary>"
        '<iframe sandbox="allow-popups allow-top-navigation-by-user-activation" '
        f'title="{escape(mail.subject, quote=True)}" srcdoc="'
        f'{escape("<base target=_top>" + mail.html, quote=True)}"></iframe></details>'
    )
    return (
        f"<article><h2>{escape(mail.subject)}</h2>"
        f'<p class="quiet">to {to} · {utc_text(mail.sent_at)}</p>'
        f"<pre>{_linked(mail.text)}</pre>{html if mail.html else ''}</article>"
    )


# Clock


def _clock(world: "LocalWorld", request: Request) -> Response:
    if request.method != "POST":
        return _clock_page(world, request)
    is_form = request.header("content-type").startswith("application/x-www-form-urlencoded")
    try:
        field, value = _asked(request, is_form)
        target = moment(value) if field == "to" else after(world.now(), value)
        happened = world.advance_to(target)
    except Backwards as error:
        return problem(422, "clock_backwards", str(error), fields={field: str(error)})
    except BadMoment as error:
        return problem(422, "invalid", str(error), fields={field: str(error)})
    except _Unreadable as error:
        return problem(422, "invalid", str(error))
    except NeverQuiet as error:
        return problem(500, "never_quiet", str(error))
    if is_form and not _wants_json(request):
        return Response(303, [("location", f"{ROOT}/clock")])
    return json_response(200, happened.as_json())


class _Unreadable(ValueError):
    """A body that does not say how to move the clock."""


def _asked(request: Request, is_form: bool) -> tuple[str, str]:
    """What was asked: `advance` or `to`, with its value."""
    try:
        text = request.body.decode()
        content: Any
        # Command-line clients call JSON a form when nobody tells them otherwise.
        if is_form and not text.lstrip().startswith("{"):
            content = {name: values[0] for name, values in parse_qs(text).items()}
        else:
            content = json.loads(text)
    except ValueError as error:
        raise _Unreadable("The body is not readable as JSON or as a form.") from error
    if not isinstance(content, dict):
        raise _Unreadable('Send {"advance": "P30D"} or {"to": "2027-01-31T12:00:00Z"}.')
    given = {name: content[name] for name in ("advance", "to") if content.get(name)}
    if len(given) != 1 or not all(isinstance(value, str) for value in given.values()):
        raise _Unreadable('Send either {"advance": "P30D"} or {"to": "2027-01-31T12:00:00Z"}.')
    return next(iter(given.items()))


def _clock_page(world: "LocalWorld", request: Request) -> Response:
    now = utc_text(world.now())
    if _wants_json(request):
        upcoming = world.next_moment()
        content = {"now": now, "next_moment": None if upcoming is None else utc_text(upcoming)}
        return json_response(200, content)
    buttons = "".join(
        f'<button name="advance" value="{span}">{name}</button> '
        for span, name in [
            ("PT1H", "An hour"),
            ("P1D", "A day"),
            ("P7D", "A week"),
            ("P1M", "A month"),
            ("P1Y", "A year"),
        ]
    )
    report = ""
    if world.last_happened is not None:
        rows = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(_shown(value))}</dd>"
            for name, value in world.last_happened.as_json().items()
        )
        report = f"<h2>What happened last</h2><dl>{rows}</dl>"
    return _page(
        "Clock",
        f"<p>It is <strong>{now}</strong>.</p>"
        f'<form method="post" aria-label="Move on by">{buttons}</form>'
        '<form method="post"><label for="to">Move to (UTC)</label>'
        f'<input id="to" name="to" value="{now}" required> <button>Move</button></form>{report}',
    )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(value) or "none"
    return str(value)
