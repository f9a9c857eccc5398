"""The markup of the Stripe stand-in's hosted pages; they wear the sandbox's stylesheet."""

from infra.local.hosted_markup import CLOSED, FIELD, FRAME

_FRAME = """{% extends "hosted" %}{% block name %}Stripe stand-in{% endblock %}"""

_CARD = """{% extends "frame" %}
{% from "field" import field with context %}
{% block content %}
<h1>{{ heading }}</h1>
<p>It is kept for payments that you agree to in the shop. Nothing is charged now.</p>
{% if errors %}
<div class="summary" role="alert">
<h2>Nothing was saved</h2>
<ul>
{% for name, sentence in errors.items() %}
<li><a href="#{{ name }}">{{ sentence }}</a></li>
{% endfor %}
</ul>
</div>
{% endif %}
<form method="post" action="{{ action }}" novalidate>
{{ field("number", number, "cc-number", "A test number from the list below.", 40, false) }}
{% if cards %}
<div class="pair">
{{ field("expiry", expiry, "cc-exp", "For cards: month and year, like 08/29.", 9, false) }}
{{ field("cvc", "", "cc-csc", "For cards: 3 digits.", 4, false) }}
</div>
{% endif %}
<button type="submit">Save</button>
</form>
{% if cancel_url %}
<p><a class="button quiet" href="{{ cancel_url }}">Back to the shop</a></p>
{% endif %}
<details>
<summary>Test numbers</summary>
<dl>
{% for known in methods %}
<div><dt>{{ known.spaced }}</dt><dd>{{ known.meaning }}</dd></div>
{% endfor %}
</dl>
</details>
{% endblock %}
"""

_AUTHENTICATE = """{% extends "frame" %}
{% block content %}
<h1>{{ title }}</h1>
<p>Your bank asks whether this is you.</p>
<dl>
{% for name, value in facts.items() %}
<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>
{% endfor %}
</dl>
<form method="post" action="{{ action }}">
<button type="submit" name="answer" value="confirm">Confirm</button>
<button type="submit" name="answer" value="decline" class="quiet">Refuse</button>
</form>
{% endblock %}
"""

TEMPLATES = {
    "hosted": FRAME,
    "field": FIELD,
    "frame": _FRAME,
    "card": _CARD,
    "authenticate": _AUTHENTICATE,
    "closed": CLOSED,
}
