"""When a provider gives no answer that can be used."""


class ProviderUnavailable(Exception):
    """The provider gave no usable answer to a call that moves no money; ask again later."""


class NotSent(ProviderUnavailable):
    """The call was not made: the provider's limit left no room for it in time. Nothing came of it,
    and it may be made later, with the same key."""


class NoSuchProvider(ProviderUnavailable):
    """This deployment has no provider of that name, or none any more ([MANY])."""


class RequestRefused(Exception):
    """The provider refused the request itself: the merchant's account there, or a bug of ours. No
    money moved, and asking again with the same content would not help."""
