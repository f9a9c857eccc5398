"""The markup and the stylesheet that the hosted pages of all stand-ins share."""

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ title }} · {% block name %}{% endblock %}</title>
<link rel="stylesheet" href="{{ mount }}/style.css">
</head>
<body>
<header><p class="banner"><strong>{{ self.name() }}</strong> — no real money moves</p></header>
<main>
{% block content %}{% endblock %}
</main>
</body>
</html>
"""

FIELD = """{% macro field(name, value, autocomplete, hint, length, numeric=true) %}
<div class="field{{ ' wrong' if name in errors else '' }}">
<label for="{{ name }}">{{ labels[name] }}</label>
<p class="hint" id="{{ name }}-hint">{{ hint }}</p>
{% if name in errors %}
<p class="error" id="{{ name }}-error"><span aria-hidden="true">⚠ </span>{{ errors[name] }}</p>
{% endif %}
<input id="{{ name }}" name="{{ name }}" value="{{ value }}" type="text"
{% if numeric %}
 inputmode="numeric" required
{% endif %}
 autocomplete="{{ autocomplete }}" maxlength="{{ length }}" spellcheck="false"
{% if name in errors %}
 aria-invalid="true" aria-describedby="{{ name }}-error {{ name }}-hint">
{% else %}
 aria-describedby="{{ name }}-hint">
{% endif %}
</div>
{% endmacro %}
"""
"""One field of a form, with its hint and its error. Not `numeric`: it may hold letters, or be
left out."""

CLOSED = """{% extends "frame" %}
{% block content %}
<h1>{{ title }}</h1>
<p>{{ sentence }}</p>
{% if back %}
<p><a class="button" href="{{ back }}">Back to the shop</a></p>
{% endif %}
{% endblock %}
"""

STYLE = """
:root { color-scheme: light; --ink: #1d2733; --soft: #52606d; --line: #7b8794;
  --accent: #1f5f5b; --wrong: #a61b1b; --paper: #ffffff; --ground: #f4f6f5; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.banner { margin: 0; padding: .75rem 1rem; text-align: center; background: #fff3cf;
  color: #4a3500; }
main { max-width: 28rem; margin: 1.5rem auto; padding: 1.5rem; background: var(--paper);
  border-radius: .75rem; box-shadow: 0 1px 4px rgb(0 0 0 / 12%); overflow-wrap: anywhere; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 0 0 .25rem; font-size: 1.0625rem; }
p { margin: 0 0 1rem; }
.field { margin-bottom: 1.25rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0 1rem;
  align-items: end; }
label { display: block; font-weight: 600; }
.hint { margin: 0 0 .25rem; color: var(--soft); font-size: .9375rem; }
.error { margin: 0 0 .25rem; color: var(--wrong); font-weight: 600; }
input { width: 100%; min-height: 3rem; padding: .5rem .75rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--line); border-radius: .5rem;
  font-variant-numeric: tabular-nums; }
.wrong input { border: 2px solid var(--wrong); }
.summary { margin-bottom: 1.25rem; padding: 1rem; border: 2px solid var(--wrong);
  border-radius: .5rem; }
.summary ul { margin: 0; padding-left: 1.25rem; }
.summary a { color: var(--wrong); }
button, .button { display: block; width: 100%; min-height: 3rem; margin-top: .75rem;
  padding: .75rem 1rem; font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; color: #fff; background: var(--accent);
  border: 2px solid var(--accent); border-radius: .5rem; cursor: pointer; }
.quiet { color: var(--accent); background: var(--paper); }
:focus-visible { outline: 3px solid #1a4fd6; outline-offset: 2px; }
details { margin-top: 1.5rem; border-top: 1px solid #d5dbe0; padding-top: .5rem; }
summary { min-height: 2.75rem; padding: .5rem 0; cursor: pointer; font-weight: 600; }
dl { margin: 0 0 1rem; }
dl div { padding: .5rem 0; border-bottom: 1px solid #e4e8eb; }
dt { font-weight: 600; font-variant-numeric: tabular-nums; }
dd { margin: 0; color: var(--soft); }
@media (max-width: 30rem) { main { margin: 0; border-radius: 0; box-shadow: none; } }
"""
