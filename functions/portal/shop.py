"""The shop: what anyone may look at before there is a cart ([SHOP] [LOCATION] [WHO])."""

from functions.portal.pages.contact_models import ContactPage, PlaceView
from functions.portal.pages.product_models import ProductPage
from functions.portal.pages.shop_models import ShopPage
from functions.portal.product_page import product_page_for
from functions.portal.shop_view import ShopQuery, shop_page
from shared.domain.errors import Missing
from shared.domain.product import Catalogue
from shared.web import assets, render
from shared.web.answer import Answer, Raw
from shared.web.app import App
from shared.web.request import Request
from shared.wiring import current

OPENAPI = render.ROOT / "functions" / "portal" / "openapi.json"
"""Made from the routes at build time."""

app = App(pages="functions.portal.pages", wiring=current, snapshot=Catalogue)


# --- the shop --------------------------------------------------------------------------------


@app.get("/", page="shop", answer=ShopPage, query=ShopQuery, summary="The shop.", hidden=True)
@app.get("/shop", page="shop", answer=ShopPage, query=ShopQuery, summary="What is on sale.")
def shop(request: Request) -> Answer:
    customer = request.customer.value if request.customer else None
    ready = bool(request.wiring.preferred_provider(request.catalogue))
    return Answer(
        shop_page(
            request.catalogue, request.location, customer, request.query, provider_ready=ready
        )
    )


@app.get("/shop/{product}", page="product", answer=ProductPage, summary="One product.")
def product(request: Request) -> Answer:
    return Answer(product_page_for(request, request.params["product"]))


@app.get("/contact", page="contact", answer=ContactPage, summary="How to reach the merchant.")
def contact(request: Request) -> Answer:
    settings = request.catalogue.settings
    return Answer(
        ContactPage(
            merchant=settings.merchant_name,
            support_email=settings.support_email,
            support_phone=settings.support_phone,
            address=settings.address,
            locations=tuple(
                PlaceView(id=at.id, name=at.name, address=at.address, phone=at.phone)
                for at in request.catalogue.locations
            ),
        )
    )


# --- files -----------------------------------------------------------------------------------


@app.get("/assets/{file}", summary="Stylesheet, icons, fonts.", hidden=True)
def asset(request: Request) -> Raw:
    return assets.asset(request.params["file"], request.headers.get("if-none-match"))


@app.get("/openapi.json", summary="Every route, for programs.", hidden=True)
def openapi(_: Request) -> Raw:
    if not OPENAPI.is_file():
        raise Missing("There is no such file.")
    return Raw(OPENAPI.read_bytes(), "application/json", compress=True)


handler = app.handler
