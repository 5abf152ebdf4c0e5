"""Tasks over several machines: not built; every name says so when it is used."""

from upwell._author.out_of_scope import CLUSTERS, names_of

__getattr__ = names_of("upwell.clustered", CLUSTERS)
