"""Trying a retry policy before it is published ([FORECAST], [RETRY]). Nothing is saved here."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from functions.console.pages.models import PlaceChoice, PolicyRefusal, RetryPolicyPage
from shared.domain.business import Location
from shared.domain.calendar import Frequency, local_date
from shared.domain.dunning import RetryPolicy, check_policy
from shared.domain.errors import Invalid
from shared.domain.policy_trial import PATTERN_MAX, PolicyTrial, read_pattern, try_policy
from shared.domain.product import Catalogue
from shared.domain.product_kind import ProductKind
from shared.web.answer import Answer, Query
from shared.web.app import App
from shared.web.body import validated
from shared.web.request import Request, Who

EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 1, 1)
USUAL_PATTERN = "decline"
FIRST_RENEWAL = 1

Written = Annotated[str, Field(max_length=100)] | None


class TrialQuery(Query):
    """As it was written; what is left out is the merchant's present policy, and a renewal that
    goes on being declined. `starts_on` is the day of purchase: the trial is of the first renewal
    after it. `pattern` are the bank's answers, one a try, of which the last goes on: decline,
    final, authentication, success, or d, f, a, s."""

    tries: Written = None
    days_between: Written = None
    then: Written = None
    frequency: Written = None
    starts_on: Written = None
    location: Written = None
    pattern: Annotated[str, Field(max_length=PATTERN_MAX)] | None = None


class _What(Query):
    """The part of the query that is not the policy, checked."""

    frequency: Frequency
    starts_on: Annotated[date, Field(ge=EARLIEST, le=LATEST)]
    location: str
    pattern: str


def mount_retry_policy(app: App) -> None:
    """Adds the page to the console's app."""
    app.get(
        "/console/retry-policy",
        page="console_retry_policy",
        answer=RetryPolicyPage,
        query=TrialQuery,
        who=Who.STAFF,
        summary="Try a retry policy against a pattern of declines; nothing is saved.",
    )(retry_policy)


def retry_policy(request: Request) -> Answer:
    """The form, and what the policy in it does. People whose form is wrong see it again; programs
    get the problem. Raises `Invalid`, which names the field."""
    request.load()
    query: TrialQuery = request.query
    written = query.model_dump(exclude_none=True)
    catalogue = request.catalogue
    usual = _usual(request)
    if not written:
        return Answer(_page(catalogue, catalogue.settings.retry, usual))
    policy = catalogue.settings.retry
    what = usual
    try:
        policy, what = _read(written, policy, usual)
        return Answer(_page(catalogue, policy, what, _trial(catalogue, policy, what)))
    except Invalid as error:
        if not request.wants_html:
            raise
        request.typed = written
        request.problems = error.fields
        return Answer(_page(catalogue, policy, what), status=422)


def _usual(request: Request) -> _What:
    """What the form begins with: a renewal of what the merchant sells, declined throughout."""
    catalogue = request.catalogue
    location = next(
        (one for one in catalogue.locations if request.staff.works_at(one.id)),
        catalogue.locations[0],
    )
    sold = (one.frequency for one in catalogue.products if one.frequency is not None)
    return _What(
        frequency=next(sold, Frequency.MONTHLY),
        starts_on=local_date(request.now, location.zone),
        location=location.id,
        pattern=USUAL_PATTERN,
    )


def _read(
    written: Mapping[str, Any], present: RetryPolicy, usual: _What
) -> tuple[RetryPolicy, _What]:
    """Both parts of the form; what is wrong in either is said at once."""
    problems: dict[str, str] = {}
    policy, what = present, usual
    own = {name: written[name] for name in RetryPolicy.model_fields if name in written}
    try:
        policy = validated(RetryPolicy, {**present.model_dump(), **own})
    except Invalid as error:
        problems.update(error.fields)
    try:
        what = validated(_What, {**usual.model_dump(), **written})
    except Invalid as error:
        problems.update(error.fields)
    if problems:
        raise Invalid("Please check what you entered.", fields=problems)
    return policy, what


def _trial(catalogue: Catalogue, policy: RetryPolicy, what: _What) -> PolicyTrial:
    return try_policy(
        policy,
        what.frequency,
        what.starts_on,
        FIRST_RENEWAL,
        _location(catalogue, what.location).zone,
        read_pattern(what.pattern),
    )


def _location(catalogue: Catalogue, location_id: str) -> Location:
    location = catalogue.location(location_id)
    if location is None:
        sentence = "There is no such location."
        raise Invalid(sentence, fields={"location": sentence})
    return location


def _refusals(catalogue: Catalogue, policy: RetryPolicy) -> tuple[PolicyRefusal, ...]:
    """What of the merchant's could not be published with `policy`."""
    found: list[PolicyRefusal] = []
    for product in catalogue.products:
        if product.kind is not ProductKind.SUBSCRIPTION:
            continue
        for frequency in product.allowed_frequencies:
            try:
                check_policy(policy, frequency)
            except Invalid as error:
                refusal = PolicyRefusal(
                    product_id=product.id,
                    name=product.name,
                    frequency=frequency,
                    reason=error.detail,
                )
                found.append(refusal)
    return tuple(found)


def _page(
    catalogue: Catalogue, policy: RetryPolicy, what: _What, trial: PolicyTrial | None = None
) -> RetryPolicyPage:
    location = catalogue.location(what.location) or catalogue.locations[0]
    return RetryPolicyPage(
        present=catalogue.settings.retry,
        policy=policy,
        frequency=what.frequency,
        starts_on=what.starts_on,
        location_id=location.id,
        zone=location.zone,
        pattern=what.pattern,
        locations=tuple(PlaceChoice(id=one.id, name=one.name) for one in catalogue.locations),
        trial=trial,
        refusals=_refusals(catalogue, policy),
    )
