"""Apps and serving: not built; every name says so when it is used."""

from upwell._author.out_of_scope import APPS, names_of

__getattr__ = names_of("upwell.app", APPS)
