"""The stand-in's hosted card field: the page that shops frame, and its script.

It takes the documented parameters of the address, shows the fields that they ask for, has the card
turned into a token when the customer leaves a field (or stops typing), and hands the token to the
page around it in a message: a JSON text whose `message` is the token.
"""

from collections.abc import Mapping
from html import escape

Answer = tuple[int, dict[str, str], bytes]

FRAME_PATH = "/itoke/ajax-tokenizer.html"
SCRIPT_PATH = "/itoke/ajax-tokenizer.js"
TOKENIZE_PATH = "/cardsecure/api/v1/ccn/tokenize"

FLAGS = frozenset(
    {
        "autofocus",
        "cardnumbernumericonly",
        "enhancedresponse",
        "formatinput",
        "fullmobilekeyboard",
        "invalidcreditcardevent",
        "invalidcvvevent",
        "invalidexpiryevent",
        "invalidinputevent",
        "maskfirsttwo",
        "sendcardtypingevent",
        "swipeonly",
        "tokenizewheninactive",
        "unique",
        "usecvv",
        "useexpiry",
        "useexpiryfield",
        "usemonthnames",
    }
)
TEXTS: Mapping[str, str] = {
    "cardinputmaxlength": "2000",
    "cardlabel": "Card Number",
    "cardtitle": "Credit Card Number",
    "css": "",
    "cvvlabel": "CVV",
    "cvvtitle": "Card Verification Value",
    "expirylabel": "Expiration Date",
    "expirymonthtitle": "Expiration Month",
    "expiryyeartitle": "Expiration Year",
    "inactivityto": "500",
    "orientation": "default",
    "placeholder": "",
    "placeholdercvv": "",
    "placeholdermonth": "",
    "placeholderyear": "",
    "selectinputdelay": "0",
    "tokenpropname": "message",
}
"""The other parameters, with what holds without them."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)


def frame(options: Mapping[str, str], mount: str, year: int) -> Answer:
    """The page; cards that expire from `year` on can be chosen. An address with a parameter that
    no document names is refused."""
    unknown = sorted(set(options) - FLAGS - set(TEXTS))
    if unknown:
        return 400, _html(), f"<p>No such parameter: {escape(', '.join(unknown))}</p>".encode()
    on = {name for name in FLAGS if options.get(name) == "true"}
    texts = {name: options.get(name, default) for name, default in TEXTS.items()}
    style = texts["css"].replace("<", "")
    fields = [_card_field(texts, on)]
    if "useexpiry" in on:
        fields.append(_expiry_fields(texts, year))
    if "usecvv" in on:
        fields.append(_cvv_field(texts))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Card</title>'
        f'<style>{style}</style><script src="{mount}{SCRIPT_PATH}" defer></script></head>'
        f'<body data-on="{escape(" ".join(sorted(on)))}" '
        f'data-tokenize="{escape(mount + TOKENIZE_PATH)}" '
        f'data-inactivity="{escape(texts["inactivityto"])}" '
        f'data-token-name="{escape(texts["tokenpropname"])}">'
        f'<form id="tokenform">{"".join(fields)}</form></body></html>'
    )
    return 200, _html(), page.encode()


def _card_field(texts: Mapping[str, str], on: set[str]) -> str:
    kind = "text" if "fullmobilekeyboard" in on else "tel"
    label = ""
    if on & {"useexpiry", "usecvv"}:
        label = f'<label for="ccnumfield" id="cccardlabel">{escape(texts["cardlabel"])}</label>'
    return (
        f'{label}<input id="ccnumfield" name="ccnumfield" type="{kind}" autocomplete="off" '
        f'maxlength="{escape(texts["cardinputmaxlength"])}" size="19" '
        f'placeholder="{escape(texts["placeholder"])}" '
        f'title="{escape(texts["cardtitle"])}" aria-label="{escape(texts["cardtitle"])}">'
    )


def _expiry_fields(texts: Mapping[str, str], first: int) -> str:
    months = "".join(f'<option value="{n:02d}">{n:02d}</option>' for n in range(1, 13))
    years = "".join(f'<option value="{n}">{n}</option>' for n in range(first, first + 21))
    empty = '<option value="">--</option>'
    month, year = escape(texts["expirymonthtitle"]), escape(texts["expiryyeartitle"])
    return (
        f'<label for="ccexpirymonth">{escape(texts["expirylabel"])}</label>'
        f'<select id="ccexpirymonth" title="{month}" aria-label="{month}">{empty}{months}</select>'
        f'<select id="ccexpiryyear" title="{year}" aria-label="{year}">{empty}{years}</select>'
    )


def _cvv_field(texts: Mapping[str, str]) -> str:
    title = escape(texts["cvvtitle"])
    return (
        f'<label for="cccvvfield" id="cccvvlabel">{escape(texts["cvvlabel"])}</label>'
        '<input id="cccvvfield" name="cccvvfield" type="tel" autocomplete="off" maxlength="4" '
        f'size="4" placeholder="{escape(texts["placeholdercvv"])}" title="{title}" '
        f'aria-label="{title}">'
    )


def script() -> Answer:
    headers = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-store"}
    return 200, {**headers, "X-Content-Type-Options": "nosniff"}, SCRIPT.encode()


def _html() -> dict[str, str]:
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


SCRIPT = """"use strict";
(() => {
  const body = document.body;
  const on = new Set(body.dataset.on.split(" "));
  const card = document.getElementById("ccnumfield");
  const cvv = document.getElementById("cccvvfield");
  const month = document.getElementById("ccexpirymonth");
  const year = document.getElementById("ccexpiryyear");
  let waiting = 0;
  let asked = 0;

  const tell = (content) => window.parent.postMessage(JSON.stringify(content), "*");
  const tellToken = (token, more) => tell({ [body.dataset.tokenName]: token, ...more });

  const luhn = (digits) => {
    let sum = 0;
    [...digits].reverse().forEach((digit, at) => {
      const value = Number(digit) * (at % 2 ? 2 : 1);
      sum += value > 9 ? value - 9 : value;
    });
    return sum % 10 === 0;
  };

  const wrong = () => {
    const number = card.value.replace(/[ -]/g, "");
    if (!/^[0-9]{13,19}$/.test(number) || !luhn(number)) {
      card.classList.add("error");
      const said = on.has("invalidcreditcardevent") || on.has("invalidinputevent");
      return { said, what: "Invalid credit card number" };
    }
    card.classList.remove("error");
    if (cvv && !/^[0-9]{3,4}$/.test(cvv.value)) {
      return { said: on.has("invalidcvvevent"), what: "Invalid CVV" };
    }
    if (month && (!month.value || !year.value)) {
      return { said: on.has("invalidexpiryevent"), what: "Invalid expiration date" };
    }
    return null;
  };

  const tokenize = async () => {
    if (!card.value) return;
    if (on.has("sendcardtypingevent")) tell({ cardTyping: false });
    const problem = wrong();
    if (problem) {
      if (problem.said) tellToken("", { validationError: problem.what });
      return;
    }
    const turn = ++asked;
    const content = { account: card.value };
    if (cvv) content.cvv = cvv.value;
    const expiry = month ? year.value + month.value : null;
    if (expiry) content.expiry = expiry;
    let found;
    try {
      const answer = await fetch(body.dataset.tokenize, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(content),
      });
      found = await answer.json();
    } catch {
      found = { token: "", errorcode: 1, message: "Network error" };
    }
    if (turn !== asked) return;
    const more = expiry ? { expiry } : {};
    if (on.has("enhancedresponse")) {
      more.token = found.token;
      more.errorCode = String(found.errorcode);
      more.errorMessage = found.errorcode ? found.message : "";
    }
    tellToken(found.token, more);
  };

  for (const field of [card, cvv, month, year]) {
    if (!field) continue;
    if (on.has("tokenizewheninactive")) {
      field.addEventListener("input", () => {
        window.clearTimeout(waiting);
        waiting = window.setTimeout(tokenize, Number(body.dataset.inactivity));
      });
    } else {
      field.addEventListener("blur", tokenize);
    }
  }
  if (on.has("sendcardtypingevent")) {
    card.addEventListener("input", () => tell({ cardTyping: true }));
  }
  const form = document.getElementById("tokenform");
  form.addEventListener("submit", (event) => event.preventDefault());
  if (on.has("autofocus")) card.focus();
})();
"""
