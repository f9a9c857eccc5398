"""What the hosted pages of all stand-ins have in common: their headers, their forms, the way back.

They work without script and show nothing from elsewhere.
"""

from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, dict[str, str], bytes]

MAX_FIELDS = 20


def page_headers(*return_urls: str | None) -> dict[str, str]:
    """A form's answer may lead back to the shop, so the origins of `return_urls` are among the
    form actions: browsers hold redirects of a form to that list."""
    origins = ["'self'"]
    for return_url in return_urls:
        if return_url is not None:
            parts = urlsplit(return_url)
            origins.append(f"{parts.scheme}://{parts.netloc}")
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {' '.join(origins)}"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def stylesheet(style: str) -> Answer:
    headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=300"}
    return 200, {**headers, "X-Content-Type-Options": "nosniff"}, style.encode()


def back(url: str) -> Answer:
    return 303, {"Location": url, "Cache-Control": "no-store"}, b""


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; of a name that comes twice, the last. Raises `ValueError`."""
    text = body.decode("utf-8")
    return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
