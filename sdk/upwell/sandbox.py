"""Restricted orchestrators: not built; every name says so when it is used."""

from upwell._author.out_of_scope import ORCHESTRATORS, names_of

__getattr__ = names_of("upwell.sandbox", ORCHESTRATORS)
