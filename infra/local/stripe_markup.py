"""The markup of the Stripe stand-in's hosted pages; they wear the sandbox's stylesheet."""

_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ title }} · Test payments</title>
<link rel="stylesheet" href="{{ mount }}/style.css">
</head>
<body>
<header><p class="banner"><strong>Stripe stand-in</strong> — no real money moves</p></header>
<main>
{% block content %}{% endblock %}
</main>
</body>
</html>
"""

_CARD = """{% extends "frame" %}
{% macro field(name, value, autocomplete, hint, length) %}
<div class="field{{ ' wrong' if name in errors else '' }}">
<label for="{{ name }}">{{ labels[name] }}</label>
<p class="hint" id="{{ name }}-hint">{{ hint }}</p>
{% if name in errors %}
<p class="error" id="{{ name }}-error"><span aria-hidden="true">⚠ </span>{{ errors[name] }}</p>
{% endif %}
<input id="{{ name }}" name="{{ name }}" value="{{ value }}" type="text"
 autocomplete="{{ autocomplete }}" maxlength="{{ length }}" spellcheck="false"
{% if name in errors %}
 aria-invalid="true" aria-describedby="{{ name }}-error {{ name }}-hint">
{% else %}
 aria-describedby="{{ name }}-hint">
{% endif %}
</div>
{% endmacro %}
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
{{ field("number", number, "cc-number", "A test number from the list below.", 40) }}
{% if cards %}
<div class="pair">
{{ field("expiry", expiry, "cc-exp", "For cards: month and year, like 08/29.", 9) }}
{{ field("cvc", "", "cc-csc", "For cards: 3 digits.", 4) }}
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

_CLOSED = """{% extends "frame" %}
{% block content %}
<h1>{{ title }}</h1>
<p>{{ sentence }}</p>
{% if back %}
<p><a class="button" href="{{ back }}">Back to the shop</a></p>
{% endif %}
{% endblock %}
"""

TEMPLATES = {
    "frame": _FRAME,
    "card": _CARD,
    "authenticate": _AUTHENTICATE,
    "closed": _CLOSED,
}
