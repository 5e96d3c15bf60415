"""Sends e-mails after the commit, in threads beside the requests.

Nobody waits for the mail server. An e-mail that it refuses is lost, and the log says
so. E-mails that wait when the process is killed are lost, too. Nothing depends on them:
people can ask for another link, and their profile lists all devices.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from django.core.mail import EmailMessage

from config.after_commit import after_commit
from config.monitoring.metrics import count_event
from users.mail.emails import Email

logger = logging.getLogger(__name__)

THREADS = 2
# More e-mails are dropped, so that a mail server that hangs does not fill the memory.
MOST_WAITING = 1000

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
_places = BoundedSemaphore(MOST_WAITING)


def send_after_commit(email: Email, *, to: str) -> None:
    message = EmailMessage(
        email.subject,
        email.text,
        to=[to],
        headers={"Auto-Submitted": "auto-generated"},  # so that nothing answers it
    )
    after_commit(_enqueue, message)


def _enqueue(message: EmailMessage) -> None:
    if not _places.acquire(blocking=False):
        _note_loss("too many are waiting")
        return
    _threads.submit(_send, message)


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception as error:
        # Not the text of the error: mail servers quote the address in it.
        _note_loss(type(error).__name__)
    else:
        count_event("email.sent")
    finally:
        _places.release()


def _note_loss(why: str) -> None:
    logger.error("an e-mail was not sent: %s", why)
    count_event("email.lost")
