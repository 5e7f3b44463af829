"""Where bytes live: the interface, and the local disk."""

from .base import Storage, Turn, TurnLost
from .local import LocalStorage

__all__ = ["LocalStorage", "Storage", "Turn", "TurnLost"]
