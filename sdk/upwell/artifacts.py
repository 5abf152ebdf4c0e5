"""A registry of artifacts: not built; every name says so when it is used."""

from upwell._author.out_of_scope import ARTIFACTS, names_of

__getattr__ = names_of("upwell.artifacts", ARTIFACTS)
