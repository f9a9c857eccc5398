"""The markup of the sandbox's hosted pages."""

from infra.local.hosted_markup import CLOSED, FIELD, FRAME

_FRAME = """{% extends "hosted" %}{% block name %}Sandbox{% endblock %}"""

_CARD = """{% extends "frame" %}
{% from "field" import field with context %}
{% block content %}
<h1>Save a card</h1>
<p>The card is kept for payments that you agree to in the shop. Nothing is charged now.</p>
{% if errors %}
<div class="summary" role="alert">
<h2>The card was not saved</h2>
<ul>
{% for name, sentence in errors.items() %}
<li><a href="#{{ name }}">{{ sentence }}</a></li>
{% endfor %}
</ul>
</div>
{% endif %}
<form method="post" action="{{ action }}" novalidate>
{{ field("number", number, "cc-number", "The long number on the front of the card.", 30) }}
<div class="pair">
{{ field("expiry", expiry, "cc-exp", "Month and year, like 08/29.", 9) }}
{{ field("cvc", "", "cc-csc", "3 digits on the back.", 4) }}
</div>
<button type="submit">Save card</button>
</form>
<form method="post" action="{{ action }}/cancel">
<button type="submit" class="quiet">Cancel and go back</button>
</form>
<details>
<summary>Test numbers</summary>
<p>Any expiry date to come and any three digits do.</p>
<dl>
{% for card in cards %}
<div><dt>{{ card.spaced }}</dt><dd>{{ card.meaning }}</dd></div>
{% endfor %}
</dl>
</details>
{% endblock %}
"""

_CONFIRM = """{% extends "frame" %}
{% block content %}
<h1>Confirm your payment</h1>
<p>Your bank asks you to confirm this payment.</p>
<dl>
<div><dt>Amount</dt><dd>{{ amount }}</dd></div>
{% if description %}
<div><dt>For</dt><dd>{{ description }}</dd></div>
{% endif %}
</dl>
<form method="post" action="{{ action }}">
<button type="submit" name="answer" value="confirm">Confirm</button>
<button type="submit" name="answer" value="decline" class="quiet">Decline</button>
</form>
{% endblock %}
"""

_PAYMENTS = """{% extends "frame" %}
{% block content %}
<h1>Payments</h1>
<p>What the sandbox took, newest first. A bank may take a payment back: a debit that is returned,
 a card payment that the customer disputes. It gives it again when the merchant wins.</p>
{% if payments %}
<dl>
{% for payment in payments %}
<div><dt>{{ payment.amount }}{% if payment.taken %} · taken back{% endif %}</dt>
<dd>{{ payment.description }}<br>{{ payment.at }}{% if payment.refunded %}, refunded{% endif %}</dd>
{% if payment.answer %}
<dd><form method="post" action="{{ mount }}/payments/{{ payment.id }}">
<button type="submit" name="answer" value="{{ payment.answer }}" class="quiet">
{{ "Take it back" if payment.answer == "reverse" else "Give it again" }}
</button>
</form></dd>
{% endif %}
</div>
{% endfor %}
</dl>
{% else %}
<p>Nothing was paid yet.</p>
{% endif %}
{% endblock %}
"""

TEMPLATES = {
    "hosted": FRAME,
    "field": FIELD,
    "frame": _FRAME,
    "card": _CARD,
    "confirm": _CONFIRM,
    "closed": CLOSED,
    "payments": _PAYMENTS,
}
