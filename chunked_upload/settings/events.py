"""Settings about events: which programs and functions are told, and who is asked before a creation.

Addresses come from these settings alone, never from a request.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from chunked_upload.errors import ConfigurationError

from . import fields, names
from .schema import setting

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")

_SECRET_PREFIX = "whsec_"  # noqa: S105 - Standard Webhooks' prefix of secrets

#: Bytes of a secret, as Standard Webhooks asks for.
_SECRET_BYTES = (24, 64)

#: The name of a webhook that is given by its URL alone.
_ONLY = "webhook"


@dataclass(frozen=True)
class Webhook:
    """Where events are sent to.

    :param secrets: sign each message, all of them; None for those of all webhooks.
    """

    url: str
    secrets: tuple[str, ...] | None = None


class WebhookUrl(fields.SettingField):
    """An address that gets signed requests; it may hold a secret, so messages do not show it."""

    def __init__(self) -> None:
        super().__init__(secret=True)

    def read(self, value: Any) -> str:
        return _url(value)


class Webhooks(fields.SettingField):
    """Webhooks by their names; as text a JSON object, or the URL of a single one."""

    def __init__(self) -> None:
        super().__init__(secret=True)

    def read(self, value: Any) -> dict[str, Webhook]:
        if isinstance(value, str) and not value.lstrip().startswith("{"):
            value = {_ONLY: value}
        return {
            _name(name): _webhook(given) for name, given in fields.Options().read(value).items()
        }


class Secrets(names.Names):
    """Secrets of Standard Webhooks."""

    def __init__(self) -> None:
        super().__init__(some=True)
        self.secret = True

    def read_name(self, name: str) -> str:
        if name.startswith(_SECRET_PREFIX):
            try:
                size = len(base64.b64decode(name.removeprefix(_SECRET_PREFIX), validate=True))
            except ValueError:
                size = 0
            if _SECRET_BYTES[0] <= size <= _SECRET_BYTES[1]:
                return name
        raise ValueError(
            "must be whsec_ and the Base64 of 24 to 64 random bytes;"
            ' `echo "whsec_$(openssl rand -base64 32)"` makes one'
        )


class Listeners(fields.SettingField):
    """Functions of the app by their names, or their dotted names."""

    def read(self, value: Any) -> dict[str, Callable[..., Any]]:
        function = fields.Imported(what="a function of one event")
        return {
            _name(name): function.read(given)
            for name, given in fields.Options().read(value).items()
        }


class Networks(names.Names):
    """Network addresses, as 10.1.0.0/16 or fd00::/8."""

    def read_name(self, name: str) -> str:
        try:
            return str(ipaddress.ip_network(name))
        except ValueError as error:
            raise ValueError("must hold networks, as 10.1.0.0/16 or a single address") from error


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "must have names of at most 64 letters, digits, dots, dashes and underscores;"
            f" {name!r} is none"
        )
    return name


def _webhook(given: Any) -> Webhook:
    if isinstance(given, Webhook):
        return given
    if not isinstance(given, Mapping):
        return Webhook(_url(given))
    if not {"url"} <= set(given) <= {"url", "secrets"}:
        raise ValueError("must be a URL, or a dict with 'url' and 'secrets'")
    secrets = Secrets().read(given["secrets"]) if "secrets" in given else None
    return Webhook(_url(given["url"]), secrets)


def _url(value: Any) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        right = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
        right = right and (parts is None or parts.port is None or parts.port > 0)
    except ValueError:
        right = False
    if not right or not re.fullmatch(r"[!-~]+", value) or "@" in value or "#" in value:
        raise ValueError(
            "must be an address as https://app.example.org/hooks, without user name and fragment"
        )
    return str(value)


@dataclass(frozen=True, kw_only=True)
class EventSettings:
    """The settings of one upload set about its events (docs/events.md)."""

    webhooks: Mapping[str, Webhook] | None = setting(
        Webhooks(),
        "Where events are sent: a URL, or several by name, `{'billing': 'https://…', 'search': "
        "{'url': 'https://…', 'secrets': ['whsec_…']}}`; as text, JSON. It takes a table, "
        "`chunked_upload_event`. None: nowhere (docs/events.md).",
        default=None,
    )
    webhook_secrets: tuple[str, ...] | None = setting(
        Secrets(),
        "Secrets that sign what webhooks get, as `whsec_…` of Standard Webhooks, for those without "
        "their own. With several, each message has a signature by each, so that a secret can be "
        "replaced without a pause.",
        default=None,
    )
    webhook_timeout: timedelta = setting(
        fields.Duration(shortest=timedelta(seconds=1)),
        "How long a webhook may take for one event in all, from looking up its name to its answer.",
        default=timedelta(seconds=15),
    )
    webhook_networks: tuple[str, ...] = setting(
        Networks(),
        "Private networks in which webhooks may be, as `10.1.0.0/16`. Any other address that is "
        "not public is refused: this host's own, local networks, cloud metadata.",
        default=(),
    )
    before_create_url: str | None = setting(
        WebhookUrl(),
        "Address that is asked before an upload is created, and may refuse it (docs/events.md). If "
        "it does not answer properly, the client gets 503. None: nobody is asked.",
        default=None,
    )
    before_create_timeout: timedelta = setting(
        fields.Duration(shortest=timedelta(seconds=1)),
        "How long it may take to answer.",
        default=timedelta(seconds=5),
    )
    event_listeners: Mapping[str, Callable[..., Any]] | None = setting(
        Listeners(),
        "Functions of the app that are called with each event, by name: `{'index': index_file}`, "
        "or their dotted names. It takes the table `chunked_upload_event`. None: none "
        "(docs/events.md).",
        default=None,
    )
    event_retention: timedelta = setting(
        fields.Duration(shortest=timedelta(hours=1)),
        "How long events are kept that have been delivered, or given up.",
        default=timedelta(days=30),
    )

    @property
    def event_targets(self) -> tuple[str, ...]:
        """The names of the webhooks and listeners that get each event."""
        return (*(self.webhooks or {}), *(self.event_listeners or {}))


def check_events(settings: EventSettings) -> None:
    """Check what only several settings together tell.

    :raises ConfigurationError:
    """
    webhooks = settings.webhooks or {}
    unsigned = [name for name, one in webhooks.items() if one.secrets is None]
    if settings.before_create_url is not None:
        unsigned.append("CHUNKED_UPLOAD_BEFORE_CREATE_URL")
    if unsigned and settings.webhook_secrets is None:
        raise ConfigurationError(
            f"CHUNKED_UPLOAD_WEBHOOK_SECRETS is needed to sign what {unsigned[0]!r} gets; make a"
            ' secret with `echo "whsec_$(openssl rand -base64 32)"` and give it to the receiver too'
        )
    if twice := sorted(set(webhooks) & set(settings.event_listeners or {})):
        raise ConfigurationError(
            f"a webhook and a listener are both named {twice[0]!r}; give one of them another name"
        )
