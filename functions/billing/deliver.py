"""Send the messages that were written ([OUTBOX])."""

from typing import Any

from shared.domain.merchant import Merchant
from shared.events import each
from shared.log import logger
from shared.operations.deliver import Post, deliver
from shared.store import snapshot
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    now = wiring.now()
    post = Post(
        now=now,
        mailer=wiring.mailer,
        settings=snapshot.load(Merchant, now).settings,
        public_url=wiring.environment.public_url,
        new_id=wiring.new_id,
        new_secret=wiring.new_secret,
        new_code=wiring.new_code,
        said=lambda key, why: logger.warning("email not handed over", key=key, why=why),
    )
    return each(event, lambda pk, sk: deliver(post, pk, sk), now=now)
