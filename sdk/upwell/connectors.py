"""Jobs on other platforms: not built; every name says so when it is used."""

from upwell._author.out_of_scope import PLUGINS, names_of

__getattr__ = names_of("upwell.connectors", PLUGINS)
