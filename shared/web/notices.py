"""Sentences that the next page shows after something was done (`?done=<code>`).

Only these codes show anything, so a link from elsewhere can't put words on a page.
"""

from collections.abc import Mapping

NOTICES: Mapping[str, str] = {
    "added": "Added to your cart.",
    "cart_changed": "Your cart is up to date.",
    "removed": "Removed from your cart.",
    "location_chosen": "You are now shopping at this location.",
    "signed_in": "You are signed in.",
    "signed_out": "You are signed out.",
    "ordered": "Thank you. Your order is complete.",
    "card_added": "Your card is saved.",
    "card_paid": "Your card is saved, and what was owed is paid.",
    "card_not_charged": "Your card is saved, but what is owed could not be charged to it.",
    "card_not_saved": "No card was saved. Please try again, or use another card.",
    "card_removed": "The card is removed.",
    "card_default": "This is your default card now.",
    "next_payment_chosen": "Your choice counts from the next pack on.",
    "stopped": "It is out of your cart, and your subscription has ended.",
    "card_changed": "The card of your subscription is changed.",
    "card_changed_not_charged": (
        "The card of your subscription is changed, but what is owed could not be charged to it."
    ),
    "cancelled": "Your subscription is cancelled.",
    "cancel_scheduled": "Your subscription ends at the end of this period.",
    "cancel_undone": "Your subscription goes on.",
    "cancel_requested": "We got your request and will get back to you.",
    "paid": "Thank you. Your payment went through.",
    "payment_processing": "Your payment is being processed. We email you when it is through.",
    "place_booked": "Your place is booked.",
    "place_paid": "Your place is booked and paid. Thank you.",
    "place_waiting": "You are on the waiting list. We email you when a place is free.",
    "reservation_cancelled": "It is cancelled. Credits that held it are back in their pack.",
    "reservation_given_up": "It is cancelled. What becomes of the money is said below.",
    "reservation_cancelled_late": "It is cancelled. It was too late to get anything back.",
    "reservation_moved": "Your reservation is moved.",
    "saved": "Your changes are saved.",
    "notice_done": "The notice is marked as done.",
    "work_set_going": (
        "It is tried again within two minutes. If it goes on failing, a new notice says so."
    ),
    "work_not_parked": (
        "This is not set aside any more: nothing was left to try. The notice is marked as done."
    ),
    "work_not_known": (
        "This version of Punchcard does not know how to do it. Nothing was changed."
    ),
    "sign_in_sent": "A sign-in email is on its way to the customer.",
    "card_update_sent": "A link to update the card is on its way to the customer.",
    "staff_cancelled": "The subscription is cancelled. Nothing more is charged.",
    "staff_cancel_scheduled": "The subscription ends with its period. Until then it can be undone.",
    "staff_cancel_undone": "The subscription goes on.",
    "staff_started": "The subscription is started.",
    "staff_start_processing": (
        "The payment is being processed. The subscription starts when it is through."
    ),
    "staff_paused": "The subscription is paused. Nothing is charged until it is resumed.",
    "staff_resumed": "The subscription goes on. What the pause passed over is not charged.",
    "expiry_moved": "The expiry is moved.",
    "payment_recorded": "The payment is recorded.",
    "credits_changed": "The credits are changed.",
    "activity_created": "The activity is on the schedule.",
    "activities_created": "The activities are on the schedule.",
    "activity_cancelled": "The activity is cancelled, and so is every reservation.",
    "activity_cancelling": (
        "The activity is cancelled. Some reservations are still to be cancelled: go on below."
    ),
    "checked_in": "Checked in.",
    "place_invoiced": "The invoice is on its way to the customer.",
    "place_waived": "It is let go. Nobody is asked for it any more.",
    "provider_preferred": "New cards go there from now on. Cards on file stay where they are.",
    "pack_activated": "The pack is activated. Its invoice stays open until it is paid.",
    "seat_cancelled": "The reservation is cancelled, and the credits are given back.",
}
