"""What every answer carries and every change is checked for: headers, origins, local paths."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from shared.domain.errors import Forbidden

MAX_NEXT = 1000
OUR_SITES = ("same-origin", "none")
"""What `Sec-Fetch-Site` says of our own pages, and of what a person typed."""


def check_origin(headers: Mapping[str, str], public_url: str) -> None:
    """Refuse a change that another site's page asked for.

    `Sec-Fetch-Site` decides; browsers without it send `Origin` with every POST. Both absent means
    no browser, and then nobody's cookies are at stake. Raises `Forbidden` (`cross_site`).
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in OUR_SITES
    else:
        origin = headers.get("origin")
        host = headers.get("host", "")
        allowed = origin is None or origin in (public_url, f"https://{host}", f"http://{host}")
    if not allowed:
        raise Forbidden("This form was sent from another site.", code="cross_site")


def local_path(text: str | None) -> str | None:
    """`text` when it is a path on this site and nothing but that, else None: where `next` leads.

    No scheme, no host in any of the ways that browsers read one (`//x`, `/\\x`), no control
    characters (browsers drop tabs and line ends).
    """
    if not text or len(text) > MAX_NEXT or not text.startswith("/"):
        return None
    if text.startswith("//") or "\\" in text:
        return None
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in text):
        return None
    return text


def next_parameter(path: str) -> str:
    """`next=…` for an address that leads to `path` in the end."""
    return f"next={quote(path, safe='/')}"


def location_header(location: str) -> str:
    """`location` as a header may hold it: what no URL contains is escaped, line ends too."""
    return quote(location, safe="%/:?#[]@!$&'()*+,;=-._~")


def referring_path(headers: Mapping[str, str], public_url: str) -> str | None:
    """The page of ours that the request came from, when the browser says so."""
    referer = urlsplit(headers.get("referer", ""))
    host = headers.get("host", "")
    if f"{referer.scheme}://{referer.netloc}" not in (
        public_url,
        f"https://{host}",
        f"http://{host}",
    ):
        return None
    return local_path(referer.path + (f"?{referer.query}" if referer.query else ""))


def security_headers(
    *,
    public_url: str,
    holds_token: bool = False,
    leads_to: Iterable[str] = (),
    frames: Iterable[str] = (),
) -> dict[str, str]:
    """The headers of every answer, errors included. `frames` are the origins of what the page
    shows in a frame; nothing else is framed, and the page itself never.

    `holds_token`: the address itself is a secret, so no path leaves with a `Referer`, not even to
    ourselves. `strict-origin` and not `no-referrer`, under which browsers send `Origin: null` with
    a form, and the ones without `Sec-Fetch-Site` could not sign in.
    """
    form_action = " ".join(["'self'", *leads_to])
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {form_action}"
    )
    framed = " ".join(frames)
    if framed:
        policy += f"; frame-src {framed}"
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "strict-origin" if holds_token else "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Accept, Cookie",
    }
    if public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers
