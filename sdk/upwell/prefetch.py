"""Fetching models ahead: not built; every name says so when it is used."""

from upwell._author.out_of_scope import MODELS, names_of

__getattr__ = names_of("upwell.prefetch", MODELS)
