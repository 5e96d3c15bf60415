import logging
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from config.api.outages import is_outage
from webhooks import services
from webhooks.courier import Courier
from webhooks.messages import message
from webhooks.models import Event

logger = logging.getLogger(__name__)

SENT_AT_ONCE = 10
IDLE_SECONDS = 1
OUTAGE_SECONDS = 5
PRUNE_EVERY_SECONDS = 3600


class Stop:
    """Whether SIGTERM or SIGINT came. A lock in a signal handler could hang."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *args: object) -> None:
        self.asked = True


class Command(BaseCommand):
    help = "Deliver webhook events until told to stop (SIGTERM). Several may run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--once", action="store_true", help="deliver what is due now, and end"
        )
        what.add_argument(
            "--retry-dead",
            action="store_true",
            help="make events that were given up due again, and end",
        )

        what.add_argument(
            "--resume",
            action="store_true",
            help="send again to a receiver that answered 410 Gone or to wait, and end",
        )

    def handle(
        self, *args: Any, once: bool, retry_dead: bool, resume: bool, **options: Any
    ) -> None:
        if resume:
            was_stopped = services.resume()
            self.stdout.write(
                "Sending goes on." if was_stopped else "Sending was not stopped."
            )
        elif retry_dead:
            number = services.retry(Event.objects.given_up())
            self.stdout.write(f"{number} events will be sent again.")
        elif not settings.WEBHOOK_URL:
            logger.warning("WEBHOOK_URL is not set: there is nothing to deliver")
            stop = Stop()
            while not (once or stop.asked):
                time.sleep(IDLE_SECONDS)
        else:
            with Courier() as courier:
                if once:
                    while deliver_batch(courier):
                        pass
                    services.prune()
                else:
                    deliver_until(Stop(), courier)


def deliver_until(stop: Stop, courier: Courier) -> None:
    """Finishes what it is sending before it stops."""
    prune_at = 0.0
    while not stop.asked:
        close_old_connections()  # so that a broken one is noticed
        try:
            number = deliver_batch(courier)
            if time.monotonic() >= prune_at:
                services.prune()
                prune_at = time.monotonic() + PRUNE_EVERY_SECONDS
        except Exception as error:
            if not is_outage(error):
                raise
            logger.error("webhooks wait for the database: %s", type(error).__name__)
            time.sleep(OUTAGE_SECONDS)
        else:
            if number < SENT_AT_ONCE:
                time.sleep(IDLE_SECONDS)


def deliver_batch(courier: Courier) -> int:
    """Returns how many events were tried. No transaction is open meanwhile."""
    events = services.claim(SENT_AT_ONCE)
    errors = courier.send([message(event) for event in events])
    services.note_results(events, errors)
    return len(events)
