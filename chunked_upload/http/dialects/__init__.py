"""One module or package per dialect; each registers itself when it is imported.

A new dialect is a new module here, and nothing else.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
