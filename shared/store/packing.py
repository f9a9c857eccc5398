"""Documents as they are stored: plain JSON, or packed where that saves capacity.

DynamoDB asks for each begun KB of an item, twice in a transaction. So an item of more than a KB has
its document packed, when it then has fewer: deflate with a dictionary of our own words, as text.
The rest, which are most, stay readable in AWS's console (docs/decisions/0009-packed-documents.md).
"""

import zlib
from base64 import b64decode, b64encode

PACKED_1 = "z1:"
"""What a packed document begins with. No JSON does. It names the dictionary: another dictionary
has another name, and this one never changes, since what was packed with it is stored."""

_WORDS_1 = (
    b'"mail_blocked":"suppressed","why_not":"provider_customers":{"sandbox":"cus_stripe":"cus_'
    b'"minimum_payments":12,"payments_remaining":"until":"service_id":"yoga","validity_days":30,'
    b'"waiting":[{"participants":1,"hold","release","redeem","restore","deduct","revoke"'
    b'"declined","decline_code":"insufficient_funds","next_check_at":"repeatable":true,'
    b'"collection":{"period":1,"source":"invoice_id":"first_day":"first":"at_2359","policy":{}},'
    b'"reminded_for":1,"payments_made":1,"last_pack_id":"last_pack_period":0,"packs":["'
    b'"order":[{"product_id":"kind":"package","kind":"subscription","kind":"retail","name":"'
    b'"line":{"product_id":"terms":{"product_id":"price":{"minor":,"taxed":true}}],"claimed_by":"'
    b'"granted":10,"left":10,"bought_at":"usable_from":"expires_at":"replaces":"expires_with_next":'
    b'{"id":"source":"purpose":"checkout","purpose":"period","customer_id":"location_id":"amount":'
    b'{"minor":,"currency":"USD"},"currency":"EUR"},"description":"invoice_id":"created_at":"2027-'
    b'"attempts":[{"id":"by":"customer","by":"clock","card":{"id":"card_"provider":"stripe","token":'
    b'"pm_"provider":"sandbox","token":"card_"brand":"mastercard","brand":"visa","last4":"4242",'
    b'"exp_month":12,"exp_year":2030},"provider_customer":"started_at":"outcome":"succeeded",'
    b'"decided_at":"provider_charge_id":"subscription_id":"period":"settled_at":"state":"closed",'
    b'"state":"open","lines":[{"product_id":"name":"detail":"unit":{"minor":"tax_name":"Sales tax",'
    b'"payments":[{"kind":"card","at":"charge_id":"number":"closed_at":"state":"active",'
    b'{"key":"order_receipt:","kind":"order_receipt","key":"subscription_purchased:","kind":'
    b'"subscription_purchased","key":"renewal_reminder:","kind":"renewal_reminder","only_while":"'
    b'{"key":"invoice:","kind":"invoice","key":"renewal_receipt:","kind":"renewal_receipt","to":"'
    b'@example.com","@gmail.com","customer_id":"locale":"en-US","created_at":"2026-01-01T04:59:00Z",'
    b'"facts":{"greeting":"zone":"America/New_York","zone":"Europe/Berlin","agreement":{"id":"name":'
    b'"frequency":"weekly","frequency":"annual","frequency":"monthly","price":{"minor":,"currency":'
    b'"USD"},"credits":8,"service":"Yoga"},"bill":{"invoice_id":"order_id":"created_at":"location":'
    b'"lines":[{"name":"detail":"Charged every month","unit":{"minor":4900,"currency":"USD"},'
    b'"amount":{"minor":4900,"currency":"USD"}}],"subtotal":{"minor":4900,"currency":"USD"},'
    b'"tax_name":"Sales tax","tax":{"minor":404,"currency":"USD"},"total":{"minor":5304,"currency":'
    b'"USD"},"owed":{"minor":0,"currency":"USD"},"payments":[{"kind":"card","at":"2026-01-01T00:00:'
    b'00Z","amount":{"minor":5304,"currency":"USD"},"brand":"visa","last4":"4242"}]},"starts_on":'
    b'"first_day":"2026-","last_day":"2026-","next_charge":{"at":"2026-","amount":{"minor":5304,'
    b'"currency":"USD"},"tax":{"minor":404,"currency":"USD"},"card":{"brand":"visa","last4":"4242"}}}'
    b',"state":"sent","sent_at":"2026-","tries":1,"next_try_at":"2026-","also":[{"key":"'
)


WINDOW_BITS = 13
MEMORY_LEVEL = 6
"""8 KB to look back into: more than a document and the dictionary have, but for the very longest,
and a quarter of the memory to clear and copy each time. Whatever was packed with more unpacks."""

_PRIMED_1 = zlib.compressobj(wbits=-WINDOW_BITS, memLevel=MEMORY_LEVEL, zdict=_WORDS_1)
"""Has read the dictionary, and nothing else ever: each document is packed by a copy."""


def packed(document: str) -> str:
    """`document` in fewer bytes, as text that is not JSON."""
    deflate = _PRIMED_1.copy()
    data = deflate.compress(document.encode()) + deflate.flush()
    return PACKED_1 + b64encode(data).decode()


def unpacked(stored: str) -> str:
    """The document, whether it was packed or not."""
    if not stored.startswith(PACKED_1):
        return stored
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=_WORDS_1)
    return inflate.decompress(b64decode(stored[len(PACKED_1) :])).decode()
